// What the scripts of the pages take for granted: what they ask for is in the page, as our own template made it. Tests in a
// browser hold that; the checker would ask for a cast at each place. Kept apart from web/static: nothing of it is served.
type InPage = HTMLFormElement & HTMLInputElement & HTMLTemplateElement & HTMLTextAreaElement;
interface ParentNode {
  querySelector(selectors: string): InPage;
  querySelectorAll(selectors: string): NodeListOf<InPage>;
}
interface Element {
  closest(selectors: "form"): HTMLFormElement;
  closest(selectors: string): HTMLDetailsElement & HTMLFieldSetElement;
}
interface Document {
  getElementById(id: string): InPage;
  addEventListener(type: "submit", listener: (event: SubmitEvent & { target: HTMLFormElement }) => void): void;
}
interface DocumentFragment {
  cloneNode(deep?: boolean): DocumentFragment;
}
interface HTMLFormControlsCollection {
  [name: string]: any; // a control by its name
  [Symbol.iterator](): IterableIterator<HTMLInputElement>;
}
