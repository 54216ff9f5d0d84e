/** Slash commands: one table, as in the terminal client (crates/wire/src/commands.rs), and the reading of a line. Pure. */

/**
 * `names`: the name and its aliases. `takes`: kinds of arguments, for completion. `isPrivate`: what follows is never kept.
 * @typedef {{group: string, id: string, names: string[], usage: string, help: string, takes: string[], isPrivate: boolean}} SlashCommand
 */

const [NAME, ROOM, TEXT] = ['name', 'room', 'text'];
const row = (group, id, names, usage, help, takes = [], isPrivate = false) => (
  { group, id, names: names.split(' '), usage, help, takes, isPrivate });

/** @type {SlashCommand[]} in the order of the help */
export const COMMANDS = [
  row('Talk', 'action', 'me', 'TEXT', 'says what you do', [TEXT]),
  row('Talk', 'direct', 'msg query', 'NAME [TEXT]', 'writes to one person only', [NAME, TEXT], true),
  row('Talk', 'w', 'w', 'NAME [TEXT]', 'the same; without a text, tells about somebody', [NAME, TEXT], true),
  row('Talk', 'reply', 'reply r', 'TEXT', 'answers the last person who wrote to you only', [TEXT], true),
  row('People', 'rename', 'nick', 'NAME', 'takes another name'),
  row('People', 'members', 'names who', '', 'shows who is here'),
  row('People', 'whois', 'whois', 'NAME', 'tells since when somebody is here, how long idle, and how connected', [NAME]),
  row('People', 'away', 'away', '[TEXT]', 'tells who writes to you that you are away', [TEXT]),
  row('People', 'back', 'back', '', 'ends it'),
  row('People', 'ignore', 'ignore', 'NAME', 'hides what somebody says from now on', [NAME]),
  row('People', 'unignore', 'unignore', 'NAME', 'ends it', [NAME]),
  row('Rooms', 'rooms', 'rooms list', '', 'lists the rooms'),
  row('Rooms', 'join', 'join j', 'ROOM', 'enters a room, or goes back to one', [ROOM]),
  row('Rooms', 'leave', 'leave part', '[ROOM]', 'leaves a room', [ROOM]),
  row('Rooms', 'history', 'history', '[around NUMBER]', 'goes to older messages, or to the one of a number'),
  row('Rooms', 'search', 'search', 'TEXT', 'finds messages that hold a text', [TEXT]),
  row('Rooms', 'seal', 'seal unseal', '', 'tells why a page has no sealed messages'),
  row('Page', 'help', 'help', '', 'explains the keys and the commands'),
  row('Page', 'notify', 'notify bell', '[off|mentions|all]', 'notifies you never, when you are mentioned, or always', ['level']),
  row('Page', 'quit', 'quit exit bye', '', 'leaves'),
  ...[
    ['op', 'TOKEN', 'makes you an operator until you leave', [], true],
    ['kick', 'NAME [REASON]', 'closes somebody’s connection', [NAME, TEXT]],
    ['mute', 'WHO [FOR] [REASON]', 'stops a name, address or network from sending; FOR is 10m, 2h or 7d', [NAME, TEXT]],
    ['unmute', 'WHO', 'ends it', [NAME]],
    ['ban', 'WHO [FOR] [REASON]', 'throws a name, address or network out, and keeps it out', [NAME, TEXT]],
    ['unban', 'WHO', 'lets them in again'],
    ['freeze', '', 'lets nobody but operators speak'],
    ['thaw', '', 'ends it'],
    ['motd', '[TEXT|-]', 'sets what newcomers are shown; with - takes it away, alone shows it', [TEXT]],
    ['roster', '', 'lists who is here, from which address'],
    ['bans', '', 'lists the mutes and bans that stand'],
  ].map(([name, ...rest]) => row('Operators', 'operate', name, ...rest)),
];

/** Returns the command of a name or alias. @param {string} name without its slash, in any case */
export const commandOf = (name) => COMMANDS.find(({ names }) => names.includes(name.toLowerCase()));

/** A command as it is written. */
export const synopsisOf = ({ names, usage }) => `/${names[0]} ${usage}`.trim();

/**
 * Reads a line. Where it is wrong, nothing of it may be sent.
 * @param {string} line
 * @returns {{kind: 'say', text: string} | {kind: 'command', id: string, args: string[], line: string} | {kind: 'error', text: string}}
 */
export function parseLine(line) {
  const hidden = hiddenCommand(line);
  if (hidden) return wrong(`something stands before or in /${hidden}, so nothing was sent; type it anew, or write //${hidden} to say it`);
  if (/^(?!\/(?!\/))/.test(line)) return say(line.replace(/^\/\//, '/'));
  const [, name, rest] = /^\/(\S*)\s*([^]*?)\s*$/.exec(line);
  const command = commandOf(name);
  if (!command) return wrong(unknown(name));
  if (command.names[0] !== 'op' && holdsToken(rest)) return wrong(TOKEN);
  const args = argumentsOf(command, rest);
  if (!args) return wrong(`usage: ${synopsisOf(command)}: ${command.help}`);
  return { kind: 'command', id: command.id, args, line: `${command.names[0]} ${rest}`.trim() };
}

const TOKEN = 'this holds an operator token, which is a secret, so nothing was sent; /op TOKEN shows it to the server only';
const wrong = (text) => ({ kind: 'error', text });

function say(text) {
  if (holdsToken(text)) return wrong(TOKEN);
  const names = text.split('\n').slice(1).map((later) => /^\s*\/(\w+)/.exec(later)?.[1] ?? '');
  const secret = names.find((name) => commandOf(name)?.isPrivate);
  return secret ? wrong(`a line begins with /${secret} and would be said to everybody; send it by itself`) : { kind: 'say', text };
}

/** Returns the arguments of a command, or `null` if they do not fit its usage. */
function argumentsOf({ id, usage }, rest) {
  if (rest === '') return usage === '' || usage.startsWith('[') ? [] : null;
  if (usage === '') return null;
  if (id === 'direct' || id === 'w') return rest.split(/\s+([^]*)/, 2);
  if (id === 'history') return /^around\s+#?([0-9]{1,15})$/.exec(rest)?.slice(1) ?? null;
  const isWord = ['rename', 'whois', 'ignore', 'unignore', 'join', 'leave', 'notify'].includes(id);
  return isWord && /\s/.test(rest) ? null : [rest];
}

/** Characters that draw nothing, and signs that look like a slash (crates/wire/src/slash.rs). */
const UNSEEN = String.raw`\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffd`;
const SLASHES = '/／⁄∕⧸╱⟋⁁᜵⧶🙼⫽⹊Ⳇノㇳ丿⼃〳ᴣﾉ';
const MEANT = new RegExp(`^[\\s${UNSEEN}]*[${SLASHES}](?!/)\\s*(\\S+)`, 'u');

/** Name of the command that a line is meant as where something hides its slash, so that nothing private is said by mistake. */
function hiddenCommand(line) {
  const word = MEANT.exec(line)?.[1].replace(new RegExp(`[${UNSEEN}]`, 'gu'), '').normalize('NFKC').toLowerCase();
  return word && commandOf(word) && !line.toLowerCase().match(/^\/(\S*)/)?.[1].startsWith(word) ? word : '';
}

/** Returns whether a text holds something of the form of an operator token (O1). */
export function holdsToken(text) {
  return /glop_[0-9a-z]{16}/i.test(text.replace(new RegExp(`[\\r\\n]+[ \\t]*|[${UNSEEN}]`, 'gu'), ''));
}

/** Returns whether a line must not be kept anywhere. */
export const isSecretLine = (line) => /^\W*op(\s|$)/i.test(line) || holdsToken(line);

function unknown(name) {
  const near = COMMANDS.flatMap(({ names }) => names).find((known) => isNear(known, name.toLowerCase()));
  return `there is no command /${name}; ${near ? `did you mean /${near}?` : '/help lists them.'} //${name} sends it as text`;
}

/** Returns whether the words differ in one letter, or in two swapped ones. */
function isNear(known, typed) {
  const start = [...known].findIndex((letter, at) => letter !== typed[at]);
  const [left, right] = [known.slice(start), typed.slice(start)];
  const isSwapped = left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
  return start > 0 && (left.slice(1) === right || left === right.slice(1) || left.slice(1) === right.slice(1) || isSwapped);
}
