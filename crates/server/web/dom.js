/** Building of elements. Texts enter the page as text nodes only. */

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; `class`, `text`, and `on...` listeners too
 * @param {(Node | string)[]} [children]
 * @returns {any}
 */
export function element(tag, properties = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A name or text of a peer, whose direction of writing reaches nothing around it. */
export function bdi(text, className) {
  return element('bdi', { text, class: className });
}

export const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** Sets a text only where it changes, so that nothing is announced again. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Replaces the children of a list by elements with the same keys, which are kept where they exist. */
export function reconcile(parent, items, keyOf, create, update = () => {}) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = kept.get(key);
    kept.delete(key);
    if (!child) {
      child = create(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of kept.values()) child.remove();
}

/** Dataset keys are strings; a text as pieces with links, mentions and hits. */
export function showPieces(target, pieces) {
  target.replaceChildren(...pieces.map(pieceNode));
}

function pieceNode({ text, href, host, mention, found }) {
  let node = document.createTextNode(text);
  if (mention) node = element('strong', { class: 'my-name' }, [node]);
  if (found) node = element('mark', {}, [node]);
  if (href === undefined) return node;
  const link = element('a', { href, target: '_blank', rel: 'noopener noreferrer', referrerpolicy: 'no-referrer' }, [node]);
  const isOther = !text.toLowerCase().includes(host);
  // A host that is written in other letters than it has on the network says which one it is.
  if (isOther && host.includes('xn--')) link.append(element('span', { class: 'host', text: ` [${host}]` }));
  return link;
}
