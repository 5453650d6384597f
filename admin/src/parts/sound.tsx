// Sounds: heard where they are shown, kept as a file, brought as a file.
import { Alert, Anchor, Button, FileButton, Group, Text } from '@mantine/core';
import { IconDownload, IconUpload } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { whyNot } from '../api/client';
import styles from './sound.module.css';
import { sentence } from './words';

// Player plays a sound of the API's: bytes come when it is started, and only as many as are heard. file is the name under which it is kept.
export function Player({ src, label, file }: { src: string; label: string; file?: string }) {
  const [wrong, setWrong] = useState('');
  return (
    <div className={styles.player}>
      <audio controls preload="none" src={src} aria-label={label} className={styles.audio} onError={() => void whyNot(src).then((e) => setWrong(e === undefined ? 'Your browser cannot play it. Download it.' : sentence(e)))} onPlaying={() => setWrong('')} />
      {file && (
        <Anchor href={src} download={file} size="sm" aria-label={`Download: ${label}`} className={styles.get}>
          <IconDownload size={15} aria-hidden /> Download
        </Anchor>
      )}
      {wrong && (
        <Text size="sm" c="red" role="alert" className={styles.wrong}>
          {wrong}
        </Text>
      )}
    </div>
  );
}

const taken = 'audio/*,.wav,.mp3,.ogg,.flac,.m4a';

// Brought is a sound that was chosen, as the platform takes it.
export interface Brought {
  name: string; // of its file
  wav: Blob;
  made: boolean;
}

// Bring chooses a file with a sound, and makes it into what the platform takes.
export function Bring({ words, onBring, small, busy }: { words: string; onBring: (sound: Brought) => unknown; small?: boolean; busy?: boolean }) {
  const [wrong, setWrong] = useState('');
  const [works, setWorks] = useState(false);
  const choose = async (file: File | null) => {
    if (!file) return;
    setWrong('');
    setWorks(true);
    try {
      const { sound } = await import('./wav');
      await onBring({ name: file.name, ...(await sound(file)) });
    } catch (e) {
      setWrong(sentence(e));
    }
    setWorks(false);
  };
  return (
    <div>
      <FileButton onChange={(f) => void choose(f)} accept={taken}>
        {(props) => (
          <Button {...props} variant="default" size={small ? 'compact-sm' : 'sm'} loading={works || busy} leftSection={<IconUpload size={15} aria-hidden />}>
            {words}
          </Button>
        )}
      </FileButton>
      {wrong && (
        <Alert mt="xs" p="xs" color="red" variant="light" role="alert">
          {wrong}
        </Alert>
      )}
    </div>
  );
}

// SoundField is a sound in a form: chosen, heard, chosen again.
export function SoundField({ value, onChange }: { value: Brought | undefined; onChange: (sound: Brought) => void }) {
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        Sound
      </Text>
      <Group gap="sm">
        <Bring words={value ? 'Choose another file' : 'Choose a file'} onBring={onChange} />
        <Text size="sm" c={value ? undefined : 'dimmed'}>
          {value ? `${value.name}${value.made ? ', made fit for telephones' : ''}` : 'WAV, MP3, Ogg, FLAC: whatever your browser can play'}
        </Text>
      </Group>
      {value && <Heard of={value.wav} />}
    </div>
  );
}

// Heard plays what is not sent yet.
function Heard({ of }: { of: Blob }) {
  const [url, setURL] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(of);
    setURL(made);
    return () => URL.revokeObjectURL(made);
  }, [of]);
  return <audio controls src={url} aria-label="The chosen sound" className={styles.audio} style={{ marginTop: 8 }} />;
}
