import { Section } from '../components/Page.tsx';
import { Guide } from './Guide.tsx';
import classes from './guide.module.css';

/** The guide beside a form; below it where there is no room. */
export function GuideAside({ name }: { name: string }) {
  return (
    <aside className={classes.aside} aria-label="Guide">
      <Section title="Step by step">
        <Guide name={name} />
      </Section>
    </aside>
  );
}
