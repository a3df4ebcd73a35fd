/** Elements of the page by name, and new ones. */

/** @throws Error for an id that the page does not have, or of another kind. */
export function byId<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} with the id ${id}`);
}

/** @param content texts and elements, in order. */
export function create<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...content);
  return element;
}

export function download(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  create('a', { href: url, download: name }).click();
  // The browser takes the file at the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
