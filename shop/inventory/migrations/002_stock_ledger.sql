-- Shelves are the sum of their facts from now on. The balances stay for the seed "stock-ledger", which brings them
-- forward, once; a replica that still runs the older code fails here and changes nothing any more.
ALTER TABLE shelves RENAME TO shelves_before_ledger;
