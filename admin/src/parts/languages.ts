import type { Field } from './form';

const names = new Intl.DisplayNames(undefined, { type: 'language' });

// languageWords says a language as people do. Absent: any.
export function languageWords(code: string | undefined): string {
  if (!code) return 'any';
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

export const languageField: Field = { name: 'language', label: 'Language', placeholder: 'en, de-AT', description: 'Empty: for callers of any language.' };
