ALTER TABLE products ADD COLUMN version bigint NOT NULL DEFAULT 1;

-- A read model, made of events: shoal projections rebuild product-search
CREATE TABLE search_words (
    word_id  text PRIMARY KEY,
    sku      text NOT NULL,
    word     text NOT NULL,
    weight   bigint NOT NULL,
    name     text NOT NULL,
    category text NOT NULL,
    amount   bigint NOT NULL
);

CREATE INDEX search_words_by_word ON search_words (word);
CREATE INDEX search_words_by_sku ON search_words (sku);
