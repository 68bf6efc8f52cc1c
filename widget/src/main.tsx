import { type Api, connectApi } from './api.ts';
import { createChat } from './chat.ts';
import { sample } from './sample.ts';
import { type ChannelInfo, type Config, type Embed, makeSettings, readEmbed } from './settings.ts';
import styles from './styles.css?inline';
import { App } from './ui/App.tsx';
import { render } from './view/view.ts';

/** What a page may do with the widget: `window.patchbay`, empty until the widget is drawn. */
interface PageApi {
  open(): void;
  close(): void;
  /** Changes the configuration at once, for previews and for pages with a theme switch. */
  configure(config: Config): void;
  destroy(): void;
}

declare global {
  interface Window {
    patchbay?: Partial<PageApi>;
  }
}

const script = document.currentScript as HTMLScriptElement | null;

function addStyles(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Browsers without constructable style sheets.
    const element = document.createElement('style');
    element.textContent = styles;
    root.append(element);
  }
}

function mount(embed: Embed, channel: ChannelInfo, serverConfig: Config, api: Api): void {
  let config: Config = { ...serverConfig, ...embed.config };
  const host = document.createElement('div');
  host.id = 'patchbay-widget';
  const root = host.attachShadow({ mode: 'open' });
  addStyles(root);
  // The page's own keyboard shortcuts must not fire while somebody types here.
  for (const type of ['keydown', 'keyup', 'keypress'])
    root.addEventListener(type, (event) => {
      if ((event as KeyboardEvent).key !== 'Escape' || event.defaultPrevented) event.stopPropagation();
    });
  document.body.append(host);
  const chat = createChat(api, embed.channelId, embed.resumeToken, config.showMode ? sample : undefined);
  const mobile = matchMedia('(max-width: 480px)');
  const night = matchMedia('(prefers-color-scheme: dark)');
  let wanted: boolean | undefined;

  const draw = () => {
    const hidden = config.disableMobile && mobile.matches && !config.showMode;
    const dark = config.theme === 'dark' || (config.theme !== 'light' && night.matches);
    const settings = makeSettings(channel, config);
    render(hidden ? null : <App {...{ chat, settings, wanted, moved, dark }} phone={mobile.matches} />, root);
  };
  const moved = (open: boolean) => {
    wanted = open;
    draw();
  };
  mobile.onchange = night.onchange = draw;
  wanted = config.showMode || (config.bubbleState === 'expanded' && !mobile.matches) || embed.resumeToken !== undefined;
  draw();
  if (chat.resumable) chat.start();

  window.patchbay = {
    open: () => moved(true),
    close: () => moved(false),
    configure(change) {
      config = { ...config, ...change };
      draw();
    },
    destroy() {
      chat.stop();
      render(null, root);
      host.remove();
      mobile.onchange = night.onchange = null;
      window.patchbay = undefined;
    },
  };
}

async function begin(): Promise<void> {
  const embed = readEmbed(script);
  if (!embed) return console.warn('Patchbay: the script tag needs data-channel-id.');
  const api = connectApi(embed.host, embed.channelId);
  if (embed.config.showMode) return mount(embed, { id: embed.channelId }, {}, api);
  try {
    const { channel, config } = await api.config();
    mount(embed, channel, config, api);
  } catch (error) {
    console.warn(`Patchbay: the chat of channel ${embed.channelId} is not shown:`, error);
  }
}

if (!window.patchbay) {
  // Held at once, so that a script tag that stands twice on the page makes one widget.
  window.patchbay = {};
  if (document.body) void begin();
  else addEventListener('DOMContentLoaded', () => void begin());
}
