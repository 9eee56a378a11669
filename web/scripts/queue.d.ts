/** A form that was sent without a line and waits: its key, its person, and what was typed. */
interface Waiting {
  key: string;
  me: string;
  at: number; // when it was sent, in ms
  typed: [string, string][];
  state: "waiting" | "wait" | "sent" | "conflict" | "faults" | "refused";
  code: string; // of the case; "" for a new one or a class
  act: string;
  address: string;
  version?: string;
  of?: string; // which register, for a roll call
  told?: Told;
}
/** What the server said of it, in words for its page (web/site/queued.py). */
interface Told {
  state?: Waiting["state"];
  version?: number;
  key?: string; // a new one, if other answers were sent with the old one before
  at?: string;
  code?: string;
  case?: string;
  due?: string;
  since?: string[];
  why?: string;
  faults?: [string, string][];
}
