// The phone's place in the frame: a button that says how it stands, and the panel below it.
import { ActionIcon, Indicator, Paper, VisuallyHidden } from '@mantine/core';
import { IconPhone } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Loading } from '../parts/states';
import { useMay, useSelf } from '../session';
import { usePhone, type PhoneState } from './line';

const Panel = lazy(() => import('./panel'));

// stands says in a word how the phone stands.
function stands({ line, talk, trouble }: PhoneState): { words: string; color?: string } {
  if (talk) return { words: talk.stage === 'talking' ? 'talking' : talk.incoming ? 'rings' : 'calling', color: 'teal' };
  switch (line) {
    case 'ready':
      return { words: 'on', color: 'teal' };
    case 'starting':
      return { words: 'is switched on', color: 'yellow' };
    case 'lost':
      return { words: 'has lost its connection', color: 'red' };
  }
  return trouble ? { words: 'off: something is wrong', color: 'red' } : { words: 'off' };
}

export function PhoneButton() {
  const self = useSelf();
  const may = useMay();
  const phone = usePhone();
  const [open, setOpen] = useState(false);
  const rings = phone.talk?.incoming === true && phone.talk.stage === 'ringing';
  useEffect(() => {
    if (rings) setOpen(true);
  }, [rings]);
  // Whoever closes the window while he talks may not have meant to.
  const talks = phone.talk?.stage === 'talking';
  useEffect(() => {
    if (!talks) return;
    const stay = (e: BeforeUnloadEvent) => e.preventDefault();
    window.addEventListener('beforeunload', stay);
    return () => window.removeEventListener('beforeunload', stay);
  }, [talks]);
  if (!self.browser_phones || !(may('devices:write') || self.user) || phone === undefined) return null;
  const { words, color } = stands(phone);
  return (
    <>
      <Indicator disabled={!color} color={color} size={9} offset={5} processing={rings}>
        <ActionIcon variant={open ? 'light' : 'subtle'} color="gray" size="lg" aria-label={`Phone: ${words}`} aria-expanded={open} aria-controls="phone" onClick={() => setOpen(!open)}>
          <IconPhone size={21} />
        </ActionIcon>
      </Indicator>
      <VisuallyHidden role="alert">{rings ? `Call from ${phone.talk?.name || phone.talk?.number}` : ''}</VisuallyHidden>
      {open && (
        <Paper
          id="phone"
          component="section"
          aria-label="Phone"
          withBorder
          shadow="lg"
          p="md"
          style={{ position: 'fixed', top: 'calc(var(--app-shell-header-offset, 56px) + 8px)', right: 12, width: 'min(340px, calc(100vw - 24px))', maxHeight: 'calc(100vh - 120px)', overflowY: 'auto', zIndex: 150 }}
        >
          <Suspense fallback={<Loading />}>
            <Panel close={() => setOpen(false)} />
          </Suspense>
        </Paper>
      )}
    </>
  );
}
