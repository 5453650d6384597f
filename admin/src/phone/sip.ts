// What speaks SIP over the edges' WebSockets (RFC 7118), by JsSIP, and has one call at a time.
import { UA, WebSocketInterface } from 'jssip';
import type { EndEvent, RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import { microphoneTrouble, type Login, type PhoneState, type Talk } from './line';
import { Tones } from './tones';

// Controls are what the one who has the phone can do.
export interface Controls {
  call: (number: string) => void;
  answer: () => void;
  hangUp: () => void; // refuses a call that rings, and takes back one that is not answered
  key: (key: string) => void;
  hold: (on: boolean) => void;
  mute: (on: boolean) => void;
  transfer: (number: string) => void;
  close: () => void;
}

const registerFor = 300; // seconds
const reconnect = { connection_recovery_min_interval: 2, connection_recovery_max_interval: 30 }; // seconds
const patience = 4; // refusals
const again = 300; // ms until it is tried again first
const busy = 486;
const audio = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

// dialled takes out of a number what people write into it; undefined: it is none.
export function dialled(text: string): string | undefined {
  const number = text.replace(/[\s()/-]/g, '').replace(/^(\+?[0-9.]+)$/, (n) => n.replaceAll('.', ''));
  return /^[A-Za-z0-9*+._~]{1,64}$/.test(number) ? number : undefined;
}

// open registers the phone, and tells what becomes of it. gone is called when it is not this window's any more.
export function open(login: Login, tell: (change: Partial<PhoneState>) => void, gone: () => void): Controls {
  const tones = new Tones();
  const speaker = new Audio();
  speaker.autoplay = true;
  const ua = new UA({
    sockets: login.websockets.map((url) => new WebSocketInterface(url)),
    uri: `sip:${login.username}@${login.domain}`,
    password: login.password,
    display_name: login.name,
    register_expires: registerFor,
    session_timers: false, // the media node refreshes (RFC 4028)
    user_agent: 'Tandem browser phone',
    ...reconnect,
  });
  let session: RTCSession | undefined;
  let talk: Talk | undefined;
  let refused = '';
  let early = 0; // refusals before it has registered once: the edge may not know the new password yet
  let closed = false;
  let left = false; // the connection was away while somebody talked

  const change = (more: Partial<Talk>) => {
    if (talk) tell({ talk: (talk = { ...talk, ...more }) });
  };

  ua.on('registered', () => {
    tell({ line: 'ready', trouble: undefined });
    early = patience;
    // The dialog leads to a connection that is no more: a re-INVITE tells the other side of the new one.
    if (left && session?.isEstablished()) session.renegotiate();
    left = false;
  });
  ua.on('disconnected', () => {
    left ||= Boolean(session?.isEstablished());
    tell({ line: 'lost', trouble: undefined });
  });
  ua.on('registrationFailed', (e) => {
    const code = e.response?.status_code;
    if (code === 401 || code === 403) {
      if (early < patience) setTimeout(() => closed || ua.register(), again * 2 ** early++);
      else gone();
    } else {
      tell({ line: 'lost', trouble: code ? `The platform does not let the phone in (SIP ${code}). It tries again.` : undefined });
    }
  });
  ua.on('newRTCSession', (e: RTCSessionEvent) => {
    const incoming = (e.originator as string) === 'remote';
    if (session) {
      if (incoming) e.session.terminate({ status_code: busy });
      return;
    }
    take(e.session, incoming, String(e.request.getHeader('Call-ID') ?? ''));
  });

  function take(s: RTCSession, incoming: boolean, callID: string) {
    session = s;
    refused = '';
    talk = { name: s.remote_identity.display_name ?? '', number: s.remote_identity.uri.user, incoming, stage: incoming ? 'ringing' : 'calling' };
    tell({ talk, ended: undefined });
    if (incoming) tones.ring();
    const listen = (pc: RTCPeerConnection) => pc.addEventListener('track', (t) => (speaker.srcObject = t.streams[0] ?? new MediaStream([t.track])));
    if (s.connection) listen(s.connection);
    else s.on('peerconnection', (p) => listen(p.peerconnection));
    s.on('progress', () => {
      if (incoming) return;
      change({ stage: 'ringing' });
      tones.ringBack();
    });
    s.on('accepted', () => {
      tones.stop();
      change({ stage: 'talking', since: new Date().toISOString() });
    });
    s.on('hold', (h) => change((h.originator as string) === 'local' ? { held: true } : { heldByThem: true }));
    s.on('unhold', (h) => change((h.originator as string) === 'local' ? { held: false } : { heldByThem: false }));
    s.on('muted', () => change({ muted: true }));
    s.on('unmuted', () => change({ muted: false }));
    s.on('getusermediafailed', (error: unknown) => (refused = microphoneTrouble(error)));
    const over = (e: EndEvent) => {
      tones.stop();
      speaker.srcObject = null;
      const words = refused || talk?.passing ? refused || 'It was transferred.' : howItEnded(e, incoming);
      session = talk = undefined;
      tell({ talk: undefined, ended: { words, callID } });
    };
    s.on('ended', over);
    s.on('failed', over);
  }

  ua.start();
  return {
    call: (number) => {
      const to = dialled(number);
      if (!to || session) return;
      tones.ready();
      ua.call(`sip:${to}@${login.domain}`, audio);
    },
    answer: () => {
      tones.stop();
      session?.answer(audio);
    },
    hangUp: () => {
      if (session && !session.isEnded()) session.terminate(talk?.incoming && talk.stage === 'ringing' ? { status_code: busy } : undefined);
    },
    key: (key) => {
      if (!session?.isEstablished()) return;
      session.sendDTMF(key); // by INFO: a node takes it whatever becomes of the sound
      tones.key(key);
    },
    hold: (on) => void (on ? session?.hold() : session?.unhold()),
    mute: (on) => (on ? session?.mute({ audio: true }) : session?.unmute({ audio: true })),
    transfer: (number) => {
      const to = dialled(number);
      if (!to || !session?.isEstablished()) return;
      change({ passing: true });
      const failed = () => {
        change({ passing: false });
        tell({ trouble: 'The transfer was refused. You still have the call.' });
      };
      session.refer(`sip:${to}@${login.domain}`, {
        eventHandlers: { requestFailed: failed, failed, accepted: () => session?.isEnded() === false && session.terminate() },
      });
    },
    close: () => {
      closed = true;
      tones.close();
      speaker.srcObject = null;
      ua.stop();
    },
  };
}

// howItEnded says it in words. The causes are JsSIP's (Constants.js), made of SIP codes.
function howItEnded(e: EndEvent, incoming: boolean): string {
  const mine = (e.originator as string) === 'local';
  switch (e.cause as string) {
    case 'Terminated':
      return mine ? 'You have hung up.' : 'They have hung up.';
    case 'Canceled':
      return mine ? 'You have given up.' : incoming ? 'They have given up, or somebody else has answered.' : 'It was given up.';
    case 'Rejected':
    case 'Busy':
      return incoming ? 'You have refused it.' : e.cause === 'Busy' ? 'They are busy.' : 'It was refused.';
    case 'Not Found':
    case 'Address Incomplete':
      return 'There is no such number.';
    case 'Unavailable':
      return 'Nobody can be reached there.';
    case 'No Answer':
    case 'Expires':
      return 'Nobody has answered.';
    case 'RTP Timeout':
      return 'No sound has come through: the network between here and the media node lets none pass.';
    case 'Connection Error':
    case 'Request Timeout':
      return 'The connection was lost.';
    case 'User Denied Media Access':
      return microphoneTrouble(new DOMException('', 'NotAllowedError'));
    case 'Incompatible SDP':
    case 'Missing SDP':
    case 'Bad Media Description':
    case 'WebRTC Error':
      return 'The two sides could not agree on how to send sound.';
  }
  const code = e.message && 'status_code' in e.message ? ` (SIP ${e.message.status_code})` : '';
  return `It has failed${code}.`;
}
