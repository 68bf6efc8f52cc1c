import { useEffect, useRef } from 'react';
import { Section } from '../components/Page.tsx';
import { filledValues, type Values } from '../components/schema-values.ts';
import classes from './channels.module.css';

/** The widget as visitors will see it, with what stands in the form right now. It is only drawn: nothing is sent. */
export function WidgetPreview({ config }: { config?: Values }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const shown = useRef<Values>({});
  shown.current = filledValues({}, config ?? {});

  useEffect(() => {
    const tell = () => frame.current?.contentWindow?.postMessage(shown.current, location.origin);
    const listen = ({ source, data }: MessageEvent) => {
      if (source === frame.current?.contentWindow && data === 'ready') tell();
    };
    window.addEventListener('message', listen);
    return () => window.removeEventListener('message', listen);
  }, []);
  useEffect(() => frame.current?.contentWindow?.postMessage(filledValues({}, config ?? {}), location.origin), [config]);

  return (
    <div className={classes.preview}>
      <Section title="Preview" about="Changes with the form; visitors see it once it is saved.">
        <iframe ref={frame} title="Preview of the chat" src="/preview.html" />
      </Section>
    </div>
  );
}
