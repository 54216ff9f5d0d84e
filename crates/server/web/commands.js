/**
 * Slash commands: one table, as in the terminal client (crates/wire/src/commands.rs), and the
 * reading of a line. Pure.
 */

/** Kinds of arguments, for completion. @typedef {'name' | 'room' | 'command' | 'text' | 'level'} Argument */

/**
 * @typedef {{id: string, names: string[], group: string, usage: string, help: string, takes: Argument[],
 *            isPrivate: boolean}} SlashCommand
 *   `names` holds the name and its aliases; what follows a private command is never kept
 */

const row = (group, id, names, usage, help, takes = [], isPrivate = false) =>
  ({ id, names: names.split(' '), group, usage, help, takes, isPrivate });

/** Every command, in the order of the help. @type {SlashCommand[]} */
export const COMMANDS = [
  row('Talk', 'action', 'me', 'TEXT', 'says what you do: `/me waves`', ['text']),
  row('Talk', 'direct', 'msg query', 'NAME [TEXT]', 'writes to one person only', ['name', 'text'], true),
  row('Talk', 'directOrWhois', 'w', 'NAME [TEXT]', 'the same; without a text, tells about somebody', ['name', 'text'], true),
  row('Talk', 'reply', 'reply r', 'TEXT', 'answers the last person who wrote to you only', ['text'], true),
  row('People', 'rename', 'nick', 'NAME', 'takes another name'),
  row('People', 'members', 'names who', '', 'shows who is here'),
  row('People', 'whois', 'whois', 'NAME', 'tells since when somebody is here, how long idle, and how connected', ['name']),
  row('People', 'away', 'away', '[TEXT]', 'tells who writes to you that you are away', ['text']),
  row('People', 'back', 'back', '', 'ends it'),
  row('People', 'ignore', 'ignore', '[NAME]', 'hides what somebody says from now on; without a name, tells whom you ignore', ['name']),
  row('People', 'unignore', 'unignore', 'NAME', 'ends it', ['name']),
  row('Rooms', 'rooms', 'rooms list', '', 'lists the rooms'),
  row('Rooms', 'join', 'join j', 'ROOM', 'enters a room, or goes back to one', ['room']),
  row('Rooms', 'leave', 'leave part', '[ROOM]', 'leaves a room', ['room']),
  row('Rooms', 'history', 'history', '[around NUMBER]', 'goes to older messages, or to the one of a number'),
  row('Rooms', 'search', 'search', 'TEXT', 'finds messages that hold a text', ['text']),
  row('Rooms', 'seal', 'seal unseal', '', 'tells why a page has no sealed messages'),
  row('Page', 'help', 'help', '[COMMAND]', 'explains the keys and the commands', ['command']),
  row('Page', 'notify', 'notify bell', '[off|mentions|all]', 'notifies you never, when you are mentioned, or always', ['level']),
  row('Page', 'quit', 'quit exit bye', '', 'leaves'),
  row('Operators', 'operate', 'op', 'TOKEN', 'makes you an operator until you leave', [], true),
  row('Operators', 'operate', 'kick', 'NAME [REASON]', 'closes somebody’s connection', ['name', 'text']),
  row('Operators', 'operate', 'mute', 'WHO [FOR] [REASON]', 'stops a name, address or network from sending; FOR is 10m, 2h or 7d', ['name', 'text']),
  row('Operators', 'operate', 'unmute', 'WHO', 'ends it', ['name']),
  row('Operators', 'operate', 'ban', 'WHO [FOR] [REASON]', 'throws a name, address or network out, and keeps it out', ['name', 'text']),
  row('Operators', 'operate', 'unban', 'WHO', 'lets them in again'),
  row('Operators', 'operate', 'freeze', '', 'lets nobody but operators speak'),
  row('Operators', 'operate', 'thaw', '', 'ends it'),
  row('Operators', 'operate', 'motd', '[TEXT|-]', 'sets what newcomers are shown; with - takes it away, alone shows it', ['text']),
  row('Operators', 'operate', 'roster', '', 'lists who is here, from which address'),
  row('Operators', 'operate', 'bans', '', 'lists the mutes and bans that stand'),
];

/**
 * Returns the command of this name or alias, in any case.
 * @param {string} name without its slash
 */
export function commandOf(name) {
  return COMMANDS.find(({ names }) => names.includes(name.toLowerCase()));
}

/** Returns a command as it is written, and its effect. */
export function usageOf({ names, usage, help }) {
  return `/${names[0]}${usage ? ` ${usage}` : ''}: ${help}`;
}

/**
 * Meaning of a line: a text to send, a command with its arguments, or what is wrong with it.
 * @typedef {{kind: 'say', text: string}
 *   | {kind: 'command', id: string, args: string[], line: string}
 *   | {kind: 'error', text: string}} ParsedLine
 */

/**
 * Reads a line. Where it is wrong, nothing of it may be sent.
 * @param {string} line
 * @returns {ParsedLine}
 */
export function parseLine(line) {
  const hidden = hiddenSlash(line);
  if (hidden) return { kind: 'error', text: hidden };
  if (!line.startsWith('/')) return say(line);
  if (line.startsWith('//')) return say(line.slice(1));
  const [, name, rest] = /^\/(\S*)\s*([\s\S]*)$/u.exec(line);
  const command = commandOf(name);
  if (!command) return { kind: 'error', text: unknown(name) };
  return readCommand(command, name.toLowerCase(), rest.trim());
}

function say(text) {
  if (holdsToken(text)) return tokenError();
  const command = privateLine(text);
  if (!command) return { kind: 'say', text };
  return { kind: 'error', text: `a line begins with /${command} and would be said to everybody, so nothing was sent; send that line by itself` };
}

/** Returns the name of the private command that a later line of a text begins with. */
function privateLine(text) {
  const lines = text.split('\n').slice(1);
  const names = lines.map((line) => /^\s*\/(\w+)/u.exec(line)?.[1]);
  return names.find((name) => name && commandOf(name)?.isPrivate);
}

function tokenError() {
  return { kind: 'error', text: 'this holds an operator token, which is a secret, so nothing was sent; /op TOKEN shows it to the server only' };
}

function readCommand(command, name, rest) {
  const isOp = command.names[0] === 'op';
  if (!isOp && holdsToken(rest)) return tokenError();
  const args = argumentsOf(command, rest);
  if (!args) return { kind: 'error', text: `usage: ${usageOf(command)}` };
  return { kind: 'command', id: command.id, args, line: `${command.names[0]} ${rest}`.trim() };
}

/** Returns the arguments of a command, or `null` if they do not fit its usage. */
function argumentsOf({ id, usage }, rest) {
  if (usage === '') return rest === '' ? [] : null;
  if (rest === '') return usage.startsWith('[') ? [] : null;
  if (id === 'direct' || id === 'directOrWhois') return /^(\S+)\s*([\s\S]*)$/u.exec(rest).slice(1).filter((arg) => arg !== '');
  if (id === 'history') return /^around\s+#?([0-9]{1,15})$/u.exec(rest)?.slice(1) ?? null;
  const isOneWord = ['rename', 'whois', 'ignore', 'unignore', 'join', 'leave', 'help', 'notify'].includes(id);
  return isOneWord && /\s/u.test(rest) ? null : [rest];
}

/** Signs that look like a slash (crates/wire/src/slash.rs). */
const LOOK_ALIKES = '／⁄∕⧸╱⟋⁁᜵⧶🙼⫽⹊Ⳇノㇳ丿⼃〳ᴣﾉ';
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}⠀ㅤﾠ\ufff9-\ufffd]`;
const BEFORE_SLASH = new RegExp(`^((?:\\s|${UNSEEN})*)([/${LOOK_ALIKES}])(?!/)(\\s*)(\\S*)`, 'u');

/**
 * Explains why a line that begins like a command is none, so that a private text is not said to
 * everybody by mistake; an empty text if nothing hides its slash.
 */
function hiddenSlash(line) {
  const match = BEFORE_SLASH.exec(line);
  if (!match) return '';
  const [, before, slash, gap, word] = match;
  const name = word.replace(new RegExp(UNSEEN, 'gu'), '').normalize('NFKC').toLowerCase();
  const hasUnseen = new RegExp(`(?!\\s)${UNSEEN}`, 'u').test(before + (slash === '/' && !gap ? word : ''));
  const toSay = `write \`//${name}\` to say it`;
  if (hasUnseen) return `a character that cannot be seen stands before or in /${name}, so nothing was sent; type it anew, or ${toSay}`;
  const isKnown = commandOf(name) !== undefined;
  if (slash !== '/' && isKnown) return `the line begins with a sign that only looks like a slash, so nothing was sent; type /${name} anew, or ${toSay}`;
  if (before !== '' && !gap && isKnown) return `a space stands before /${name}, so nothing was sent; take it away, or ${toSay}`;
  return '';
}

/** Returns whether a text holds something of the form of an operator token (O1). */
export function holdsToken(text) {
  const seen = text.replace(/[\r\n]+[ \t]*/gu, '').replace(new RegExp(UNSEEN, 'gu'), '');
  return /glop_[0-9a-hjkmnp-tv-zoil]{16}/iu.test(seen);
}

/** Returns whether a line must not be kept anywhere: a secret may follow its command. */
export function isSecretLine(line) {
  return /^\W*op(\s|$)/iu.test(line) || holdsToken(line);
}

function unknown(name) {
  const near = COMMANDS.flatMap(({ names }) => names).find((known) => isNear(known, name.toLowerCase()));
  const hint = near ? `did you mean /${near}?` : '/help lists the commands';
  return `there is no command /${name}; ${hint} \`//${name}\` sends it as text`;
}

/** Returns whether one letter more, less, other, or two swapped make one word the other. */
function isNear(known, typed) {
  if (Math.abs(known.length - typed.length) > 1 || typed.length < 2) return false;
  let start = 0;
  while (start < known.length && known[start] === typed[start]) start += 1;
  const [left, right] = [known.slice(start), typed.slice(start)];
  const isSwapped = left.length > 1 && left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
  return left.slice(1) === right || left === right.slice(1) || left.slice(1) === right.slice(1) || isSwapped;
}
