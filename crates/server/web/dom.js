/** Building of elements. Texts enter the page as text nodes only. */

/** @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Builds an element; `text` is its text, everything else an attribute. @returns {any} */
export function element(tag, { text, ...attributes } = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(name, value);
  made.append(...(text === undefined ? children : [text]));
  return made;
}

/** A name or text of a peer: its direction of writing reaches nothing around it. */
export const bdi = (text) => element('bdi', { text });

/** Sets a text where it changes, so that nothing is announced again. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Makes the children of a list those of the items; elements with the same key are kept. */
export function reconcile(list, items, keyOf, create, update) {
  const kept = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let next = list.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const child = kept.get(key) ?? create(item);
    if (!kept.delete(key)) child.dataset.key = key;
    update(child, item);
    if (child === next) next = next.nextSibling;
    else list.insertBefore(child, next);
  }
  for (const child of kept.values()) child.remove();
}

/** A text as pieces with links, mentions and hits. */
export function textElement(pieces) {
  return element('bdi', { class: 'text', dir: 'auto' }, pieces.map(({ text, href, mention, found }) => {
    let node = mention ? element('strong', { text }) : text;
    if (found) node = element('mark', {}, [node]);
    return href ? element('a', { href, target: '_blank', rel: 'noopener noreferrer', referrerpolicy: 'no-referrer' }, [node]) : node;
  }));
}
