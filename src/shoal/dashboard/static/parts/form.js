// A form made from a JSON Schema: every field has its name, what it takes, and an example to begin with.
import { html, useState } from "../shell/ui.js";

/** @typedef {{schema: any, named: Record<string, any>}} FormOf */

/** Follow references and take the one of several that is not null. @param {any} schema @param {Record<string, any>} named @returns {any} */
export function resolved(schema, named) {
  let found = schema ?? {};
  for (let n = 0; n < 20; n += 1) {
    if (found.$ref) found = { ...named[found.$ref.split("/").pop()], ...rest(found, "$ref") };
    else if (found.anyOf ?? found.oneOf) {
      const kinds = (found.anyOf ?? found.oneOf).filter((/** @type {any} */ one) => one.type !== "null");
      if (kinds.length !== 1) return found;
      found = { ...kinds[0], ...rest(found, "anyOf", "oneOf"), nullable: true };
    } else break;
  }
  return found;
}

/** @param {any} object @param {...string} names */
function rest(object, ...names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** A value to begin with: what the schema gives as an example or a default, else the plainest that fits. @param {FormOf | null} form @returns {any} */
export function example(form) {
  return form ? exampleOf(form.schema, form.named, 0) : undefined;
}

/** @param {any} given @param {Record<string, any>} named @param {number} depth @returns {any} */
function exampleOf(given, named, depth) {
  const schema = resolved(given, named);
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum?.length) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" && depth < 6) {
    const wanted = schema.required ?? [];
    return Object.fromEntries(wanted.map((/** @type {string} */ name) => [name, exampleOf(schema.properties?.[name] ?? {}, named, depth + 1)]));
  }
  if (type === "array") return schema.minItems && depth < 6 ? [exampleOf(schema.items ?? {}, named, depth + 1)] : [];
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  if (type === "string") return schema.format === "date-time" || /_at$/.test(schema.title ?? "") ? new Date().toISOString() : "";
  return null;
}

/**
 * The form, and the same as JSON for who prefers to write.
 * @param {{form: FormOf, value: any, onChange: (value: any) => void, label: string}} given
 */
export function SchemaForm({ form, value, onChange, label }) {
  const [raw, setRaw] = useState(/** @type {string | null} */ (null));
  const [wrong, setWrong] = useState("");
  const written = (/** @type {any} */ event) => {
    setRaw(event.target.value);
    try {
      onChange(JSON.parse(event.target.value));
      setWrong("");
    } catch (error) {
      setWrong(String(error));
    }
  };
  const turn = () => {
    setRaw(raw === null ? JSON.stringify(value, null, 2) : null);
    setWrong("");
  };
  return html`<div class="form">
    <div class="bar"><strong>${label}</strong><span class="spring"></span>
      <button type="button" aria-pressed=${raw !== null} onClick=${turn}>As JSON</button></div>
    ${raw === null
      ? html`<${Field} name="" schema=${form.schema} named=${form.named} value=${value} onChange=${onChange} required=${true} />`
      : html`<textarea class="mono" aria-label=${`${label} as JSON`} rows="10" spellcheck="false" onInput=${written}>${raw}</textarea>
          ${wrong && html`<p class="bad-text" role="alert">${wrong}</p>`}`}
  </div>`;
}

/** @param {{name: string, schema: any, named: Record<string, any>, value: any, onChange: (value: any) => void, required?: boolean}} given */
function Field({ name, schema: given, named, value, onChange, required }) {
  const schema = resolved(given, named);
  const type = Array.isArray(schema.type) ? schema.type.find((/** @type {string} */ one) => one !== "null") : schema.type;
  if (type === "object" && schema.properties) return html`<${Fields} name=${name} schema=${schema} named=${named} value=${value}
    onChange=${onChange} />`;
  if (type === "array") return html`<${Items} name=${name} schema=${schema} named=${named} value=${value} onChange=${onChange} />`;
  return html`<label class="field row-field"><span>${name || "value"}${required && html`<abbr title="needed">*</abbr>`}</span>
    <${Control} schema=${schema} type=${type} value=${value} onChange=${onChange} required=${required} />
    <small class="note">${hintOf(schema, type)}</small></label>`;
}

/** @param {any} given */
function Control({ schema, type, value, onChange, required }) {
  if (schema.enum) {
    return html`<select value=${value ?? ""}
      onChange=${(/** @type {any} */ e) => onChange(e.target.value === "" ? undefined : e.target.value)}>
      ${!required && html`<option value=""></option>`}${schema.enum.map((/** @type {any} */ one) => html`<option key=${one}
        value=${one}>${one}</option>`)}</select>`;
  }
  if (type === "boolean") return html`<input type="checkbox" checked=${value === true}
    onChange=${(/** @type {any} */ e) => onChange(e.target.checked)} />`;
  if (type === "integer" || type === "number") {
    return html`<input type="number" step=${type === "integer" ? 1 : "any"} min=${schema.minimum} max=${schema.maximum} value=${value ?? ""}
      onInput=${(/** @type {any} */ e) => onChange(e.target.value === "" ? undefined : Number(e.target.value))} />`;
  }
  if (type === "string") {
    return html`<input type="text" value=${value ?? ""} maxlength=${schema.maxLength} spellcheck="false" autocomplete="off"
      onInput=${(/** @type {any} */ e) => onChange(e.target.value === "" && !required ? undefined : e.target.value)} />`;
  }
  return html`<${Raw} value=${value} onChange=${onChange} />`;
}

/** What no other field can hold: JSON. @param {any} given */
function Raw({ value, onChange }) {
  const [text, setText] = useState(JSON.stringify(value ?? null));
  const written = (/** @type {any} */ event) => {
    setText(event.target.value);
    try {
      onChange(JSON.parse(event.target.value));
      event.target.setCustomValidity("");
    } catch {
      event.target.setCustomValidity("this is no JSON");
    }
  };
  return html`<input class="mono" type="text" value=${text} onInput=${written} />`;
}

/** @param {any} given */
function Fields({ name, schema, named, value, onChange }) {
  const set = (/** @type {string} */ key, /** @type {any} */ next) => {
    const changed = { ...(value ?? {}), [key]: next };
    if (next === undefined) delete changed[key];
    onChange(changed);
  };
  const inner = Object.entries(schema.properties).map(([key, one]) => html`<${Field} key=${key} name=${key} schema=${one} named=${named}
    value=${value?.[key]} onChange=${(/** @type {any} */ next) => set(key, next)} required=${schema.required?.includes(key)} />`);
  return name ? html`<fieldset><legend>${name}</legend>${inner}</fieldset>` : inner;
}

/** @param {any} given */
function Items({ name, schema, named, value, onChange }) {
  const items = Array.isArray(value) ? value : [];
  const set = (/** @type {number} */ at, /** @type {any} */ next) => onChange(items.map((one, n) => (n === at ? next : one)));
  return html`<fieldset><legend>${name}</legend>
    ${items.map((one, n) => html`<div class="item" key=${n}>
      <${Field} name=${`${name} ${n + 1}`} schema=${schema.items ?? {}} named=${named} value=${one}
        onChange=${(/** @type {any} */ next) => set(n, next)} required=${true} />
      <button type="button" aria-label=${`Remove ${name} ${n + 1}`}
        onClick=${() => onChange(items.filter((_, at) => at !== n))}>Remove</button></div>`)}
    <button type="button" onClick=${() => onChange([...items, exampleOf(schema.items ?? {}, named, 1)])}>Add ${name}</button>
  </fieldset>`;
}

/** What a field takes, in words. @param {any} schema @param {string} [type] */
export function hintOf(schema, type = schema.type) {
  const bounds = [schema.minimum !== undefined ? `from ${schema.minimum}` : "", schema.maximum !== undefined ? `to ${schema.maximum}` : ""].filter(Boolean).join(" ");
  const like = schema.examples?.length ? `such as ${JSON.stringify(schema.examples[0])}` : "";
  return [schema.description, type && type !== "string" ? type : "", schema.format, bounds, like].filter(Boolean).join(" · ");
}
