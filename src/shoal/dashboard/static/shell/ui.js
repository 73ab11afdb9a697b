// The one door to the libraries: everything of ours imports them from here, so there is one preact.
import { h, render, Fragment, createRef } from "../vendor/preact.js";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
import { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "../vendor/signals.js";
import htm from "../vendor/htm.js";

/** Write elements as tagged templates: html`<p class="note">${text}</p>`. */
export const html = htm.bind(h);

export { h, render, Fragment, createRef };
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect };
