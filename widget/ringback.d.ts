// Types for pages that use Ringback. The service serves this file at /widget/ringback.d.ts.
//
// What stands here stays: names, attributes and events may be added, and none is taken away or changes its meaning while the
// address is /widget/v1.js.

/** Values for fields, by the field's name. What the visitor has typed stays. */
export interface Prefill {
  name?: string;
  phone?: string;
  country?: string;
  email?: string;
  reason?: string;
  message?: string;
  /** Fields of the site's own, by their id. */
  [field: string]: string | undefined;
}

export interface Wanted {
  /** The site whose form is opened; the script tag's where there is none. */
  site?: string;
  /** The token of a preferred-agent link. */
  agent?: string;
  /** The id of a reason to be chosen already. */
  reason?: string;
  prefill?: Prefill;
}

/** How the visitor is served: the form, the service's plain form in a frame, or a link to the hosted page. */
export type Level = "wasm" | "plain" | "link";

/** Why on no better level. */
export type Reason =
  | "none"
  | "wasm-missing"
  | "wasm-forbidden"
  | "wasm-failed"
  | "connect-forbidden"
  | "frame-forbidden"
  | "frame-silent"
  | "service-refused"
  | "service-unreachable"
  | "script-failed"
  | "form-failed";

/** The states of a callback. More may come: treat an unknown one as "under way". */
export type State =
  | "accepted"
  | "scheduled"
  | "sending"
  | "unconfirmed"
  | "requested"
  | "queued"
  | "offered"
  | "connected"
  | "rescheduling"
  | "cancelling"
  | "completed"
  | "cancelled"
  | "expired"
  | "failed"
  | "untraced"
  | (string & {});

/** No event holds anything that the visitor has typed: events are what tag managers and recorders of sessions keep. */
export interface Details {
  /** The dialog was opened. */
  open: Record<string, never>;
  /** The dialog was closed. */
  close: Record<string, never>;
  level: { level: Level; reason: Reason };
  /** The form is about to be sent; `preventDefault()` keeps it from that. `fields`: the names of those that are filled in. */
  "before-submit": { fields: string[]; reason: string };
  /** The callback is stored. */
  submitted: { id: string };
  state: { id: string; state: State };
  /**
   * Something has failed. `status` is the HTTP status, 0 where there was no answer. Of what the form tries again by itself, the first
   * failure is told.
   */
  error: { type: string; status: number };
}

export type RingbackEvent<Type extends keyof Details> = CustomEvent<Details[Type]> & {
  /** The element of the form; `target.dataset.site` is its site. */
  readonly target: HTMLElement;
};

/** One line of what `Ringback("check")` has found. */
export interface Finding {
  what: string;
  /** Nothing to do. */
  ok: boolean;
  /** It works, perhaps not for long. */
  works: boolean;
  found: string;
  todo: string;
}

export interface RingbackFunction {
  /** Opens the form. */
  (command: "open", wanted?: Wanted): void;
  /** Loads the form without opening it. */
  (command: "load", wanted?: Wanted): void;
  /** Closes every dialog. What was typed is kept. */
  (command: "close"): void;
  /** Fills fields in which the visitor has typed nothing. */
  (command: "prefill", values: Prefill): void;
  /** Takes every form and launcher off the page, and forgets what was prefilled. */
  (command: "destroy"): void;
  /** Tells on the page itself what its policy lacks. */
  (command: "check"): Promise<{ level: string; results: Finding[] }>;
  (command: "on" | "off", type: keyof Details, listener: (event: any) => void): void;
  open(wanted?: Wanted): void;
  close(): void;
  on<Type extends keyof Details>(type: Type, listener: (event: RingbackEvent<Type>) => void): void;
}

type Prefixed = { [Type in keyof Details as `ringback:${Type}`]: CustomEvent<Details[Type]> };

declare global {
  interface Window {
    Ringback: RingbackFunction;
  }
  var Ringback: RingbackFunction;
  interface DocumentEventMap extends Prefixed {}
  interface HTMLElementEventMap extends Prefixed {}
}
