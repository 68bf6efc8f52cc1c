import { CopyButton } from './CopyButton.tsx';
import classes from './CopyValue.module.css';

/** Something that is needed elsewhere, and the button that copies it. */
export function CopyValue({ value, label, withText }: { value: string; label: string; withText?: boolean }) {
  return (
    <div className={classes.value}>
      <code>{value}</code>
      <CopyButton value={value} label={label} withText={withText} />
    </div>
  );
}
