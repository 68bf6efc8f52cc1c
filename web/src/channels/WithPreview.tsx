import type { ReactNode } from 'react';
import type { Values } from '../components/schema-values.ts';
import classes from './channels.module.css';
import { WidgetPreview } from './WidgetPreview.tsx';

/** A form, and beside it (for sources that have one) what it makes of the widget. */
export function WithPreview({ shown, config, children }: { shown: boolean; config?: Values; children: ReactNode }) {
  if (!shown) return children;
  return (
    <div className={classes.columns}>
      {children}
      <WidgetPreview config={config} />
    </div>
  );
}
