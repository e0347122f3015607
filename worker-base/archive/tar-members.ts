/** Cuts what tar writes into its members: a header, with the records of a long name before it, and the content. */
import { BLOCK, decodeTarHeader, LONGEST_RECORD, TarError, untilZero } from './tar-header.ts';

/** GNU's header of a file with holes, which more blocks with a map of them may follow. */
const SPARSE = 'S'.charCodeAt(0);
const TYPE_AT = 156;
const MORE_AT = { header: 482, map: 504 };

type Expected = 'header' | 'name' | 'target' | 'map' | 'nothing';

/** A part of a member, in the order of the archive. */
export interface MemberPart {
  /** The name of the member, in which each character is a byte. */
  name: string;
  bytes: Buffer;
}

/**
 * Takes an archive as it comes, and gives the parts of its members. Synchronous, because an archive has tens of thousands of
 * parts. The bytes that mark its end are not part of any member.
 */
export class MemberSplitter {
  #expects: Expected = 'header';
  /** What is gathered of that, and how much it needs. */
  #gathered: Buffer[] = [];
  #missing = BLOCK;
  /** Bytes of content that are passed on before that. */
  #content = 0;
  #name = '';
  #longName: string | undefined;
  /** Records of the next member. */
  #before: Buffer[] = [];
  /** Of the member whose map is read. */
  #padded = 0;
  #recordBytes = 0;

  /** Throws `TarError` if it is not an archive. */
  add(bytes: Buffer): MemberPart[] {
    const parts: MemberPart[] = [];
    for (let at = 0; at < bytes.length && this.#expects !== 'nothing'; ) {
      const isContent = this.#content > 0;
      const part = bytes.subarray(at, at + (isContent ? this.#content : this.#missing));
      at += part.length;
      if (isContent) {
        this.#content -= part.length;
        parts.push({ name: this.#name, bytes: part });
        continue;
      }
      this.#gathered.push(part);
      this.#missing -= part.length;
      if (this.#missing > 0) continue;
      const [only, ...more] = this.#gathered;
      const all = only && more.length === 0 ? only : Buffer.concat(this.#gathered);
      this.#gathered = [];
      this.#take(all, parts);
    }
    return parts;
  }

  /** Throws `TarError` if the end of the archive was not reached. */
  end(): void {
    if (this.#expects !== 'nothing') throw new TarError('it breaks off');
  }

  #take(bytes: Buffer, parts: MemberPart[]): void {
    if (this.#expects === 'header') this.#takeHeader(bytes, parts);
    else if (this.#expects === 'map') {
      parts.push({ name: this.#name, bytes });
      this.#expectMap(bytes[MORE_AT.map] === 1);
    } else {
      if (this.#expects === 'name')
        this.#longName = untilZero(bytes.subarray(0, this.#recordBytes)).toString('latin1');
      this.#before.push(bytes);
      this.#expect('header', BLOCK);
    }
  }

  #takeHeader(block: Buffer, parts: MemberPart[]): void {
    const header = decodeTarHeader(block);
    if (!header) {
      this.#expect('nothing', 0);
      return;
    }
    const padded = Math.ceil(header.size / BLOCK) * BLOCK;
    if (header.type === 'long-name' || header.type === 'long-link') {
      if (padded === 0 || padded > LONGEST_RECORD) throw new TarError('a name is too long');
      this.#before.push(block);
      this.#recordBytes = header.size;
      this.#expect(header.type === 'long-name' ? 'name' : 'target', padded);
      return;
    }
    this.#name = this.#longName ?? header.name.toString('latin1');
    parts.push({ name: this.#name, bytes: Buffer.concat([...this.#before, block]) });
    this.#before = [];
    this.#longName = undefined;
    this.#padded = padded;
    this.#expectMap(block[TYPE_AT] === SPARSE && block[MORE_AT.header] === 1);
  }

  /** The content follows the last block of a map. */
  #expectMap(more: boolean): void {
    if (!more) this.#content = this.#padded;
    this.#expect(more ? 'map' : 'header', BLOCK);
  }

  #expect(what: Expected, bytes: number): void {
    this.#expects = what;
    this.#missing = bytes;
  }
}
