import { Button, Group, Modal, Text, type ButtonProps } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTell } from './told';

interface Props extends Omit<ButtonProps, 'onClick'> {
  words: string; // on the button
  label?: string; // for screen readers, when the words do not say what it is about
  title: string;
  children: ReactNode; // what will happen
  sure: string; // on the button that does it
  done?: string;
  act: () => Promise<unknown>;
}

// Confirm is a button that asks before it does something that is hard to take back.
export function Confirm({ words, label, title, children, sure, done, act, ...button }: Props) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const tell = useTell();
  const doIt = async () => {
    setBusy(true);
    try {
      await act();
      if (done) tell.done(done);
      setOpen(false);
    } catch (e) {
      tell.failed(e);
    }
    setBusy(false);
  };
  return (
    <>
      <Button variant="default" size="compact-sm" {...button} aria-label={label} onClick={() => setOpen(true)}>
        {words}
      </Button>
      {open && (
        <Modal opened onClose={() => setOpen(false)} title={title} closeButtonProps={{ 'aria-label': 'Close' }} centered>
        <Text size="sm" component="div">
          {children}
        </Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setOpen(false)}>
            Leave it
          </Button>
          <Button color="red" loading={busy} onClick={() => void doIt()} data-autofocus>
            {sure}
          </Button>
        </Group>
      </Modal>
      )}
    </>
  );
}
