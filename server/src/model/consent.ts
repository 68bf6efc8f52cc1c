/** Words with which people stop messages, start them again, or ask for help; a message counts when it is nothing else. */

export type ConsentWord = 'stop' | 'start' | 'help';

/** Plain words that carriers and Twilio act on by themselves for SMS. Elsewhere they may just answer a bot's question. */
const CARRIER_STOP = ['cancel', 'end', 'quit', 'optout', 'revoke'];

const WORDS: Record<ConsentWord, Record<string, string[]>> = {
  stop: {
    en: ['stop', 'stopall', 'stop all', 'unsubscribe', 'opt out', 'opt-out'],
    de: ['stopp', 'abmelden', 'abbestellen'],
    fr: ['arret', 'arrêt', 'arreter', 'arrêter', 'désabonner', 'desabonner', 'se désabonner'],
    es: ['alto', 'parar', 'baja', 'cancelar suscripción', 'cancelar suscripcion'],
    pt: ['pare', 'parar', 'sair', 'descadastrar'],
    it: ['ferma', 'disiscrivi', 'cancellami'],
    nl: ['afmelden', 'uitschrijven'],
    pl: ['rezygnuję', 'rezygnuje', 'wypisz'],
    tr: ['dur', 'iptal'],
    id: ['berhenti'],
    ru: ['стоп', 'отписаться'],
    ar: ['إيقاف', 'توقف'],
    he: ['הסר', 'עצור'],
    hi: ['रोकें', 'बंद करो'],
    ja: ['停止', '配信停止'],
    zh: ['停止', '退订', '取消订阅'],
  },
  start: {
    en: ['start', 'unstop', 'subscribe', 'opt in', 'opt-in'],
    de: ['anmelden', 'starten'],
    fr: ["s'abonner", 'abonner', 'démarrer', 'demarrer'],
    es: ['alta', 'comenzar', 'empezar'],
    pt: ['iniciar', 'começar', 'comecar'],
    it: ['inizia', 'iscrivi'],
    nl: ['aanmelden'],
    ru: ['старт', 'подписаться'],
    zh: ['订阅'],
  },
  help: {
    en: ['help', 'info'],
    de: ['hilfe'],
    fr: ['aide'],
    es: ['ayuda'],
    pt: ['ajuda'],
    it: ['aiuto'],
    ru: ['помощь'],
    zh: ['帮助'],
  },
};

const INDEX = new Map<string, ConsentWord>();
for (const [kind, byLanguage] of Object.entries(WORDS) as [ConsentWord, Record<string, string[]>][]) {
  for (const words of Object.values(byLanguage)) for (const word of words) INDEX.set(normalise(word), kind);
}
const CARRIER_INDEX = new Set(CARRIER_STOP.map(normalise));

/** What a message asks for when it is a consent word and nothing else. `carrier`: SMS, where carriers know a few more. */
export function consentWord(text: string, options: { carrier?: boolean } = {}): ConsentWord | undefined {
  if (text.length > 40) return undefined;
  const word = normalise(text);
  return INDEX.get(word) ?? (options.carrier && CARRIER_INDEX.has(word) ? 'stop' : undefined);
}

function normalise(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/^[\s"'“”.,!¡]+|[\s"'“”.,!]+$/g, '')
    .replace(/\s+/g, ' ');
}
