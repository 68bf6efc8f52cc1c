import type { OrderContent } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';

/** A basket: products, amounts, and what they come to where every price has the same currency. */
export function OrderView({ order }: { order: OrderContent }) {
  const currency = order.items[0]?.currency;
  const summable = currency !== undefined && order.items.every((item) => item.currency === currency && item.price !== undefined);
  const total = order.items.reduce((sum, item) => sum + (item.price ?? 0) * item.quantity, 0);
  return (
    <div>
      <strong>Order</strong>
      {order.text && <div>{order.text}</div>}
      <table className={classes.order}>
        <tbody>
          {order.items.map((item) => (
            <tr key={item.productId}>
              <td>{item.quantity} ×</td>
              <td>{item.productId}</td>
              <td>{item.price === undefined ? '' : price(item.price * item.quantity, item.currency)}</td>
            </tr>
          ))}
        </tbody>
        {summable && (
          <tfoot>
            <tr>
              <td />
              <td>Together</td>
              <td>{price(total, currency)}</td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}

function price(amount: number, currency: string | undefined): string {
  return currency ? `${amount.toFixed(2)} ${currency}` : amount.toFixed(2);
}
