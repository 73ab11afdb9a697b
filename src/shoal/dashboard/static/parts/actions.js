// What changes something: it is asked about first where nothing brings it back, and it says how it ended.
import { html, useEffect, useRef, useState } from "../shell/ui.js";
import { isLive, post, troubleOf } from "../shell/data.js";
import { say } from "../shell/say.js";

/**
 * Send something and keep what went wrong.
 * @returns {{busy: boolean, error: import("../shell/data.js").Trouble | null, send: (path: string, body?: object, done?: string) => Promise<any>}}
 */
export function useAction() {
  const [state, set] = useState(/** @type {{busy: boolean, error: any}} */ ({ busy: false, error: null }));
  const send = async (/** @type {string} */ path, body = {}, done = "") => {
    set({ busy: true, error: null });
    try {
      const answer = await post(path, body);
      set({ busy: false, error: null });
      if (done) say(done);
      return answer ?? {};
    } catch (trouble) {
      set({ busy: false, error: troubleOf(trouble) });
      return null;
    }
  };
  return { ...state, send };
}

/**
 * A button that asks before it does what cannot be undone. With `word`, that word must be typed.
 * @param {{children?: any, question: string, word?: string, act: () => void, disabled?: boolean, danger?: boolean}} given
 */
export function Ask({ children, question, word, act, disabled, danger = true }) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    if (open && box.current && !box.current.open) box.current.showModal();
  }, [open]);
  const close = () => (setOpen(false), setTyped(""));
  const agree = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (word && typed !== word) return;
    close();
    act();
  };
  return html`<button type="button" class=${danger ? "danger" : ""} disabled=${disabled} onClick=${() => setOpen(true)}>${children}</button>
    ${open && html`<dialog ref=${box} class="ask" onClose=${close} aria-label=${question}>
      <form onSubmit=${agree}>
        <p>${question}</p>
        ${word && html`<label class="field"><span>Type <code>${word}</code></span>
          <input type="text" value=${typed} autocomplete="off" spellcheck="false"
            onInput=${(/** @type {any} */ e) => setTyped(e.target.value)} /></label>`}
        <div class="bar"><span class="spring"></span><button type="button" onClick=${close}>No</button>
          <button type="submit" class="danger" disabled=${Boolean(word) && typed !== word}>Yes</button></div>
      </form></dialog>`}`;
}

/** Says that nothing can be done while nothing runs. @param {{live: boolean}} given */
export function Stopped({ live }) {
  if (live && isLive()) return null;
  return html`<p class="trouble quiet" role="status">${live ? "An earlier run is shown; actions are about the one that runs." : html`The system is stopped: this is what is declared and recorded. Start it with <code>shoal run</code>.`}</p>`;
}
