/** Slash commands: one table, as in the terminal client (crates/wire/src/commands.rs), and the reading of a line. Pure. */

/**
 * `takes`: kinds of arguments, for completion. What follows a private command is never kept.
 * @typedef {{id: string, names: string[], usage: string, help: string, takes: string[], isPrivate: boolean}} SlashCommand
 */

const [NAME, ROOM, TEXT] = ['name', 'room', 'text'];
const row = (id, names, usage, help, takes = [], isPrivate = false) => ({ id, names: names.split(' '), usage, help, takes, isPrivate });
const order = (...rest) => row('operate', ...rest);

/** @type {SlashCommand[]} in the order of the help */
export const COMMANDS = [
  row('action', 'me', 'TEXT', 'says what you do', [TEXT]),
  row('direct', 'msg query', 'NAME [TEXT]', 'writes to one person only', [NAME, TEXT], true),
  row('w', 'w', 'NAME [TEXT]', 'the same; without a text, /whois', [NAME, TEXT], true),
  row('reply', 'reply r', 'TEXT', 'answers who wrote to you only', [TEXT], true),
  row('rename', 'nick', 'NAME', 'takes another name'),
  row('members', 'names who', '', 'shows who is here'),
  row('whois', 'whois', 'NAME', 'tells about somebody', [NAME]),
  row('away', 'away', '[TEXT]', 'tells who writes to you that you are away', [TEXT]),
  row('back', 'back', '', 'ends it'),
  row('ignore', 'ignore', 'NAME', 'hides what somebody says', [NAME]),
  row('unignore', 'unignore', 'NAME', 'ends it', [NAME]),
  row('rooms', 'rooms list', '', 'lists the rooms'),
  row('join', 'join j', 'ROOM', 'enters a room, or goes back to one', [ROOM]),
  row('leave', 'leave part', '[ROOM]', 'leaves a room', [ROOM]),
  row('history', 'history', '[around NUMBER]', 'goes to older messages'),
  row('search', 'search', 'TEXT', 'finds messages that hold a text', [TEXT]),
  row('seal', 'seal unseal', '', 'tells why a page has no sealed messages'),
  row('notify', 'notify bell', '[off|mentions|all]', 'sets when you are notified'),
  row('help', 'help', '', 'shows this help'),
  row('quit', 'quit exit bye', '', 'leaves'),
  order('op', 'TOKEN', 'makes you an operator until you leave', [], true),
  order('kick', 'NAME [REASON]', 'closes somebody’s connection', [NAME, TEXT]),
  order('mute', 'WHO [FOR] [REASON]', 'silences WHO; FOR is 10m, 2h or 7d', [NAME, TEXT]),
  order('unmute', 'WHO', 'ends it', [NAME]),
  order('ban', 'WHO [FOR] [REASON]', 'throws it out for that time', [NAME, TEXT]),
  order('unban', 'WHO', 'lets them in again'),
  order('freeze', '', 'lets only operators speak'),
  order('thaw', '', 'ends it'),
  order('motd', '[TEXT|-]', 'sets what newcomers read; - ends it', [TEXT]),
  order('roster', '', 'lists who is here, from which address'),
  order('bans', '', 'lists mutes and bans'),
];

/** Returns the command of a name or alias, without its slash and in any case. */
export const commandOf = (name) => COMMANDS.find(({ names }) => names.includes(name.toLowerCase()));

export const synopsisOf = ({ names, usage }) => `/${names[0]} ${usage}`.trim();

const TOKEN = 'this holds an operator token, which is a secret';
const wrong = (text) => ({ kind: 'error', text: `nothing was sent: ${text}` });

/**
 * Reads a line. Where it is wrong, nothing of it may be sent.
 * @returns {{kind: 'say', text: string} | {kind: 'command', id: string, args: string[], line: string} | {kind: 'error', text: string}}
 */
export function parseLine(line) {
  const hidden = hiddenCommand(line);
  if (hidden) return wrong(`something hides /${hidden}; type it anew, or write //${hidden} to say it`);
  const [, name, rest] = /^\/(?!\/)(\S*)\s*([^]*?)\s*$/.exec(line) ?? [];
  if (name === undefined) return say(line.replace(/^\/\//, '/'));
  const command = commandOf(name);
  if (!command) return wrong(`there is no command /${name}; ${nearTo(name)} //${name} sends it as text`);
  if (command.names[0] !== 'op' && holdsToken(rest)) return wrong(TOKEN);
  const args = argumentsOf(command, rest);
  if (!args) return wrong(`usage: ${synopsisOf(command)}: ${command.help}`);
  return { kind: 'command', id: command.id, args, line: `${command.names[0]} ${rest}`.trim() };
}

function say(text) {
  if (holdsToken(text)) return wrong(TOKEN);
  const later = text.split('\n').slice(1).map((line) => /^\s*\/(\w+)/.exec(line)?.[1] ?? '');
  const secret = later.find((name) => commandOf(name)?.isPrivate);
  return secret ? wrong(`a line begins with /${secret} and would be said to everybody; send it by itself`) : { kind: 'say', text };
}

/** Returns the line that says a message again. */
export const lineOf = ({ action, text }) => (action ? `/me ${text}` : text.replace(/^\//, '//'));

/** Returns the arguments of a command, or `null` if they do not fit its usage. */
function argumentsOf({ id, usage, takes }, rest) {
  if (rest === '') return usage === '' || usage.startsWith('[') ? [] : null;
  if (id === 'direct' || id === 'w') return rest.split(/\s+([^]*)/, 2);
  if (id === 'history') return /^around\s+#?([0-9]{1,15})$/.exec(rest)?.slice(1) ?? null;
  const isWord = id !== 'operate' && !takes.includes(TEXT);
  return usage === '' || (isWord && /\s/.test(rest)) ? null : [rest];
}

/** Characters that draw nothing, and signs that look like a slash (crates/wire/src/slash.rs). */
const UNSEEN = String.raw`\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffd`;
const MEANT = new RegExp(`^[\\s${UNSEEN}]*[/／⁄∕⧸╱⟋⁁᜵⧶🙼⫽⹊Ⳇノㇳ丿⼃〳ᴣﾉ](?!/)\\s*(\\S+)`, 'u');

/** Name of the command that a line is meant as where something hides its slash, so that nothing private is said by mistake. */
function hiddenCommand(line) {
  const word = MEANT.exec(line)?.[1].replace(new RegExp(`[${UNSEEN}]`, 'gu'), '').normalize('NFKC').toLowerCase();
  return word && commandOf(word) && !line.toLowerCase().startsWith(`/${word}`) ? word : '';
}

/** Returns whether a text holds something of the form of an operator token (O1). */
export function holdsToken(text) {
  return /glop_[0-9a-z]{16}/i.test(text.replace(new RegExp(`[\\r\\n]+[ \\t]*|[${UNSEEN}]`, 'gu'), ''));
}

/** Returns whether a line must not be kept anywhere. */
export const isSecretLine = (line) => /^\W*op(\s|$)/i.test(line) || holdsToken(line);

/** A command of the same letters, or one that begins with them. */
function nearTo(name) {
  const letters = (word) => [...word].sort().join('');
  const near = COMMANDS.flatMap(({ names }) => names).find((known) => letters(known) === letters(name) || (name && known.startsWith(name)));
  return near ? `did you mean /${near}?` : '/help lists them.';
}
