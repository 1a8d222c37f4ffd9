/** Who is in the demo data, and what they may do there. */
export interface Person {
  name: string;
  email: string;
  password: string;
}

const password = 'correct horse battery';

export const ingrid: Person = { name: 'Ingrid Solberg', email: 'ingrid@nordlys.example', password };
export const olav: Person = { name: 'Olav Solberg', email: 'olav@nordlys.example', password };
export const amira: Person = { name: 'Amira Haddad', email: 'amira@nordlys.example', password };
export const bjorn: Person = { name: 'Bjørn Lie', email: 'bjorn@ledger.example', password };
export const mei: Person = { name: 'Mei Tanaka', email: 'mei@fjordpixel.example', password };
export const tom: Person = { name: 'Tom Becker', email: 'tom@fjordpixel.example', password };

export interface Account {
  number: string;
  name: string;
}

/** Owners Ingrid and Olav; Amira administers users, Bjørn does the books, Mei the web site. */
export const nordlys: Account = { number: '100001', name: 'Nordlys Bakeri AS' };

/** Mei owns it, Tom works there. */
export const fjordPixel: Account = { number: '100002', name: 'Fjord & Pixel' };

/** Invitations that wait in Nordlys from the start: one open, one expired. */
export const waiting = { open: 'post@regnskap.example', expired: 'sommer@nordlys.example' };

let made = 0;

/** Somebody whom Latchkey has never heard of, with an address that no other test uses. */
export function stranger(name = 'Solveig Dahl'): Person {
  made += 1;
  return {
    name,
    email: `stranger-${process.pid}-${made}@elsewhere.example`,
    password: 'a lamp beside the window',
  };
}
