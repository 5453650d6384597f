// The phone as the pages see it. It lives as long as the window, above all pages; what speaks SIP (sip.ts) is loaded when it is switched on.
import { useSyncExternalStore } from 'react';
import { ask, type Schemas } from '../api/client';
import { sentence } from '../parts/words';
import type { Controls } from './sip';

export type Login = Schemas['BrowserPhone'];

// Owner is the user whose phone it is.
export interface Owner {
  tenant: string;
  user: string;
}

// Talk is the one call that the phone has. What the other side is called comes from SIP, and is only ever shown as text.
export interface Talk {
  name: string;
  number: string;
  incoming: boolean;
  stage: 'calling' | 'ringing' | 'talking';
  since?: string; // when it was answered
  held?: boolean; // by us
  heldByThem?: boolean;
  muted?: boolean;
  passing?: boolean; // it is being transferred
}

export interface PhoneState {
  line: 'off' | 'starting' | 'ready' | 'lost';
  trouble?: string; // why it is off, or what does not work
  owner?: Owner & { name: string; extension: string };
  talk?: Talk;
  ended?: { words: string; callID: string }; // how the last call ended
}

const elsewhere = 'This phone is not in this window any more: it was switched on in another one, or its device was removed.';

let state: PhoneState = { line: 'off' };
let controls: Controls | undefined;
let tries = 0; // of switching it on: what an older one tells is not heard any more
const heard = new Set<() => void>();

function tell(change: Partial<PhoneState>) {
  state = { ...state, ...change };
  heard.forEach((h) => h());
}

// Of this browser's other windows the one that has the phone hears at once that it was switched on here; of other browsers when it registers
// anew, with a password that is not valid any more.
const windows = new BroadcastChannel('tandem-phone');
windows.onmessage = ({ data }: MessageEvent<Owner>) => {
  if (state.owner?.tenant === data.tenant && state.owner.user === data.user) switchOff(elsewhere);
};

// usePhone is the phone's state as it is now.
export function usePhone(): PhoneState {
  return useSyncExternalStore(
    (h) => (heard.add(h), () => heard.delete(h)),
    () => state,
  );
}

// controlsOf is what the phone can be told to do; undefined while it is off.
export const controlsOf = () => controls;

// switchOn makes the phone a user's. The browser asks for the microphone first: a phone that cannot speak is not to be rung.
export async function switchOn(owner: Owner) {
  switchOff();
  const mine = ++tries;
  const tellMine = (change: Partial<PhoneState>) => {
    if (mine === tries) tell(change);
  };
  tell({ line: 'starting', trouble: undefined, ended: undefined });
  try {
    const [sip] = await Promise.all([import('./sip'), microphone()]);
    const login = await ask('post', '/v1/tenants/{tenant}/users/{user}/browser-phone', { path: owner });
    if (mine !== tries) return;
    controls = sip.open(login, tellMine, () => mine === tries && switchOff(elsewhere));
    windows.postMessage(owner);
    tell({ owner: { ...owner, name: login.name, extension: login.extension } });
  } catch (e) {
    tellMine({ line: 'off', trouble: sentence(e) });
  }
}

// switchOff ends its call and its registration. Nothing of the login is kept.
export function switchOff(trouble?: string) {
  tries++;
  controls?.close();
  controls = undefined;
  tell({ line: 'off', owner: undefined, talk: undefined, trouble });
}

// microphone asks for it, and lets it go at once.
async function microphone() {
  // A page that came over plain HTTP has none (W3C Media Capture and Streams, 10.1).
  if (!navigator.mediaDevices) throw new Error('A browser lets a page use the microphone only over HTTPS.');
  try {
    (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks().forEach((t) => t.stop());
  } catch (e) {
    throw new Error(microphoneTrouble(e));
  }
}

// microphoneTrouble says why there is none.
export function microphoneTrouble(e: unknown): string {
  switch (e instanceof DOMException ? e.name : '') {
    case 'NotAllowedError':
      return 'The microphone is refused. Allow it for this page, at the left of its address, and switch the phone on again.';
    case 'NotFoundError':
      return 'There is no microphone. Connect one, and switch the phone on again.';
    case 'NotReadableError':
      return 'The microphone cannot be read: another program may have it.';
  }
  return 'The browser gives no microphone.';
}
