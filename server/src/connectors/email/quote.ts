/** What somebody newly wrote, apart from the history that their program quoted below it. */
import ReplyParser from 'email-reply-parser';

/** Past these the library's patterns, which backtrack, are not let near a stranger's text. */
const LIBRARY_MAX_TEXT = 10_000;
const LIBRARY_MAX_LINE = 300;
const MAX_LINES = 20_000;

const SEPARATOR =
  /^[-_]{2,}\s*(?:original message|ursprüngliche nachricht|message d['’]origine|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|oprindelig besked|ursprungligt meddelande)\s*[-_]{2,}$/i;
const FROM = /^\*?(?:from|von|de|da|van|från|fra|od|发件人|差出人)\s?[:：]\*?\s*\S/i;
const BLOCK_FIELD =
  /^\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado(?: el)?|para|asunto|assunto|inviato|data|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|发送时间|收件人|主题|送信日時|宛先|件名)\s?[:：]/i;
const ATTRIBUTION_START = /^(?:on|am|le|el|il|em|op|den|w dniu|dnia|pe|в|在|\d)/i;
const ATTRIBUTION_END =
  /(?:wrote|schrieb[^:]{0,200}|a écrit|escribió|ha scritto|scrisse|escreveu|schreef[^:]{0,200}|skrev[^:]{0,200}|napisał\(?a?\)?|pisze|kirjoitti|写道|のメッセージ|작성)\s?[:：]$/i;

/** The text above the quoted history; the whole text when nothing is quoted, or when the answers stand between the quotes. */
export function replyOf(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n', MAX_LINES);
  const cut = quoteStart(lines);
  const head = (cut === undefined ? lines : lines.slice(0, cut)).join('\n').trim();
  if (head === '' && cut === 0) return text.trim();
  return withoutSignature(head) || head;
}

function withoutSignature(text: string): string {
  if (text.length > LIBRARY_MAX_TEXT || text.split('\n').some((line) => line.length > LIBRARY_MAX_LINE)) return text;
  return new ReplyParser().read(text).getVisibleText().trim();
}

/** Line at which the quoted history starts. */
function quoteStart(lines: string[]): number | undefined {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    if (line === '' || line.length > LIBRARY_MAX_LINE) continue;
    if (SEPARATOR.test(line)) return i;
    if (FROM.test(line) && isHeaderBlock(lines, i)) return /^_{5,}$/.test(lines[i - 1]?.trim() ?? '') ? i - 1 : i;
    const end = attributionEnd(lines, i);
    if (end !== undefined && quotesToTheEnd(lines, end + 1)) return i;
  }
  return trailingQuote(lines);
}

/** Outlook's block: `From:` and at least two more fields in the lines that follow. */
function isHeaderBlock(lines: string[], from: number): boolean {
  return lines.slice(from + 1, from + 7).filter((line) => BLOCK_FIELD.test(line.trim())).length >= 2;
}

/** The last line of `On Monday Ann wrote:`, which programs wrap over up to three lines. */
function attributionEnd(lines: string[], start: number): number | undefined {
  if (!ATTRIBUTION_START.test(lines[start]!.trim())) return undefined;
  let joined = '';
  for (let i = start; i < Math.min(start + 3, lines.length); i++) {
    const line = lines[i]!.trim();
    if (line === '' || line.startsWith('>')) return undefined;
    joined = `${joined} ${line}`.trim();
    if (joined.length > 600) return undefined;
    if (ATTRIBUTION_END.test(joined)) return i;
  }
  return undefined;
}

/** True when all below is quoted, or nothing there is marked as quoted at all (programs that quote without marks). */
function quotesToTheEnd(lines: string[], from: number): boolean {
  const rest = lines.slice(from).filter((line) => line.trim() !== '');
  const marked = rest.filter((line) => line.trimStart().startsWith('>')).length;
  return (
    marked === 0 ||
    marked === rest.length ||
    rest.slice(marked).every((line) => !line.trimStart().startsWith('>') && isFooter(rest, marked))
  );
}

/** After the quote only a signature or a list's footer follows. */
function isFooter(rest: string[], marked: number): boolean {
  const first = rest[marked]?.trim() ?? '';
  return rest.slice(0, marked).every((line) => line.trimStart().startsWith('>')) && /^(?:--|__+|—)/.test(first);
}

/** A quote with no introduction at the very end. */
function trailingQuote(lines: string[]): number | undefined {
  let start: number | undefined;
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!.trim();
    if (line.startsWith('>')) start = i;
    else if (line !== '') break;
  }
  return start === 0 ? undefined : start;
}

/** Where the quote starts in the HTML of the common programs: Gmail, Outlook (three kinds), Apple Mail, Thunderbird, Yahoo, Proton. */
const HTML_QUOTES = [
  /<div[^>]{0,300}class="?[^">]{0,100}\bgmail_quote/i,
  /<(?:div|blockquote)[^>]{0,300}class="?[^">]{0,100}\b(?:yahoo_quoted|protonmail_quote|zmail_extra|tutanota_quote)/i,
  /<div[^>]{0,100}\bid="?(?:appendonsend|divRplyFwdMsg|mail-editor-reference-message-container)/i,
  /<hr[^>]{0,100}\bid="?stopSpelling/i,
  /<div[^>]{0,60}style="border:none;\s*border-top:\s*solid #(?:E1E1E1|B5C4DF)/i,
  /<div[^>]{0,100}class="?moz-cite-prefix/i,
  /<blockquote[^>]{0,200}type="?cite/i,
];

/** The HTML above the quoted history, and the history. Both are fragments: sanitise them before showing. */
export function splitHtmlQuote(html: string): { reply: string; quoted: string } {
  const cut = Math.min(...HTML_QUOTES.map((pattern) => pattern.exec(html)?.index ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(cut) ? { reply: html.slice(0, cut), quoted: html.slice(cut) } : { reply: html, quoted: '' };
}
