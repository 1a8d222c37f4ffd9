import { readFileSync } from 'node:fs';

/** The languages that the product speaks, by their tags. */
export const languages = ['en', 'nb', 'de'] as const;

export type Language = (typeof languages)[number];

/** The words of a language, from the file that the product takes them from: `say('users.invite')`. */
export function wordsOf(language: Language) {
  const file = new URL(`../../locales/${language}.json`, import.meta.url);
  const words = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
  return (key: string, values: Record<string, string> = {}): string => {
    const [section = '', name = ''] = key.split('.');
    const text = words[section]?.[name];
    if (text === undefined) throw new Error(`${file.pathname} has no ${key}`);
    return text.replace(/\{\{ (\w+) \}\}/g, (_, value: string) => values[value] ?? '');
  };
}
