// Prints what happens in a workspace: node follow.mjs http://localhost:3000 [how many events], with PATCHBAY_API_KEY set.
import { WebSocket } from 'ws';

const [address = 'http://localhost:3000', count = 'Infinity'] = process.argv.slice(2);
const socket = new WebSocket(new URL('/ws.communication', address.replace(/^http/, 'ws')), ['v12.stomp'], {
  headers: { authorization: `Bearer ${process.env.PATCHBAY_API_KEY}` },
});
let left = Number(count);

socket.on('open', () => socket.send('CONNECT\naccept-version:1.2\nheart-beat:0,0\nhost:patchbay\n\n\0'));
socket.on('message', (data) => {
  const [head, body = ''] = String(data).replace(/\0$/, '').split('\n\n', 2);
  const command = head.split('\n', 1)[0];
  if (command === 'CONNECTED') {
    socket.send('SUBSCRIBE\nid:1\ndestination:/events\nreceipt:subscribed\n\n\0');
  } else if (command === 'RECEIPT') {
    console.log('connected');
  } else if (command === 'MESSAGE') {
    console.log(body);
    left -= 1;
    if (left <= 0) socket.close();
  } else if (command === 'ERROR') {
    console.error(head);
    process.exitCode = 1;
  }
});
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
