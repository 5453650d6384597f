// The phone in the browser beside a real FreeSWITCH: sound passes both ways, encrypted, over the way that ICE has found.
import { end, env, newPage, open, place, signIn, step } from './browser.mjs';
import assert from 'node:assert/strict';

const browser = await open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection']);
const page = await newPage(browser, { permissions: ['microphone'] });
// The page's connections, to look at what passes.
await page.addInitScript(() => {
  window.peers = [];
  const Own = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Own {
    constructor(...a) {
      super(...a);
      window.peers.push(this);
    }
  };
});
const phone = page.getByRole('region', { name: 'Phone' });
const press = (name) => phone.getByRole('button', { name, exact: true }).click();
const talk = page.getByTestId('talk');

// passes waits until sound has come and gone over the newest connection, and tells how.
async function passes(energy) {
  const look = () =>
    page.evaluate(async () => {
      const peer = window.peers.at(-1);
      const all = [...(await peer.getStats()).values()];
      const of = (type) => all.find((s) => s.type === type) ?? {};
      return {
        ice: peer.iceConnectionState, dtls: of('transport').dtlsState, srtp: of('transport').srtpCipher, codec: of('codec').mimeType,
        heard: of('inbound-rtp').packetsReceived ?? 0, energy: of('inbound-rtp').totalAudioEnergy ?? 0, sent: of('outbound-rtp').packetsSent ?? 0,
      };
    });
  const began = await look();
  for (let tries = 0; ; tries++) {
    const now = await look();
    const more = { ...now, heard: now.heard - began.heard, sent: now.sent - began.sent, energy: now.energy - began.energy };
    if (now.dtls === 'connected' && more.sent > 50 && (!energy || (more.heard > 50 && more.energy > 0.001))) {
      console.log(`  ${JSON.stringify(more)}`);
      return;
    }
    if (tries > 80) throw new Error(`no sound: ${JSON.stringify(more)}`);
    await page.waitForTimeout(250);
  }
}

step('calls what plays a tone, and hears it');
await signIn(page, env.COMPANY_EMAIL);
await page.getByRole('button', { name: /^Phone:/ }).click();
await phone.getByRole('combobox').click();
await page.getByRole('option', { name: /User two/ }).click();
await press('Switch on');
await phone.getByText('extension 102').waitFor();
await phone.getByLabel('Number or extension').fill('500');
await press('Call');
await talk.getByText('Talking').waitFor();
await passes(true);

step('holds, takes back, and hears it still');
await press('Hold');
await talk.getByText('On hold').waitFor();
await press('Resume');
await talk.getByText('Talking').waitFor();
await passes(true);
await press('Hang up');
await phone.getByText('You have hung up.').waitFor();

step('is called, and answers: its sound goes out encrypted');
const other = place({ from: 'one', to: '102', talk_ms: 6000 });
await talk.getByText('Calls you').waitFor();
await press('Answer');
await talk.getByText('Talking').waitFor();
await passes(false);
await phone.getByText('They have hung up.').waitFor();
assert.equal((await other).error, undefined);
await end(browser);
