// Short news of what was done, or was not.
import { Notification } from '@mantine/core';
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { sentence } from './words';

interface News {
  id: number;
  text: string;
  bad: boolean;
}

interface Teller {
  done: (text: string) => void;
  failed: (error: unknown) => void;
}

const Context = createContext<Teller>({ done: () => {}, failed: () => {} });
const shown = { done: 5_000, failed: 12_000 }; // ms
const most = 4;
let last = 0;

export function Told({ children }: { children: ReactNode }) {
  const [news, setNews] = useState<News[]>([]);
  const tell = useCallback((text: string, bad: boolean) => {
    const id = ++last;
    setNews((all) => [...all, { id, text, bad }].slice(-most));
    setTimeout(() => setNews((all) => all.filter((n) => n.id !== id)), bad ? shown.failed : shown.done);
  }, []);
  const [teller] = useState<Teller>(() => ({ done: (text) => tell(text, false), failed: (error) => tell(sentence(error), true) }));
  return (
    <Context.Provider value={teller}>
      {children}
      <div role="status" aria-live="polite" style={{ position: 'fixed', right: 16, bottom: 16, left: 'auto', width: 'min(420px, calc(100vw - 32px))', zIndex: 500, display: 'grid', gap: 8 }}>
        {news.map((n) => (
          <Notification key={n.id} color={n.bad ? 'red' : 'teal'} title={n.bad ? 'That did not work' : undefined} withBorder closeButtonProps={{ 'aria-label': 'Close' }} onClose={() => setNews((all) => all.filter((x) => x.id !== n.id))}>
            {n.text}
          </Notification>
        ))}
      </div>
    </Context.Provider>
  );
}

export function useTell(): Teller {
  return useContext(Context);
}
