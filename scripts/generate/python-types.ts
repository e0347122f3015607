/** Python's TypedDicts from JSON Schemas, for Python 3.9 without other packages. */

/** What of JSON Schema the OpenAPI document uses. */
export interface DocumentSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  description?: string;
  properties?: Record<string, DocumentSchema>;
  required?: string[];
  items?: DocumentSchema;
  additionalProperties?: DocumentSchema | boolean;
  oneOf?: DocumentSchema[];
  anyOf?: DocumentSchema[];
  allOf?: DocumentSchema[];
}

const SIMPLE: Record<string, string> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None',
};
/** Longer comments are wrapped, as in the other modules. */
const LINE = 110;

/** Collects the classes of one module. */
export class PythonTypes {
  /** The definitions, in an order in which none is used before it is defined. */
  readonly #definitions = new Map<string, string>();
  /** Components whose definition has begun. */
  readonly #open = new Set<string>();
  readonly #components: Record<string, DocumentSchema>;
  /** Python's name for a component, if it is not the same. */
  readonly #names: Record<string, string>;

  constructor(components: Record<string, DocumentSchema>, names: Record<string, string>) {
    this.#components = components;
    this.#names = names;
  }

  /** Defines `name` as this schema. Arguments may be any sequence or mapping; results are lists and dicts. */
  define(name: string, schema: DocumentSchema, isArgument: boolean): void {
    const type = this.#type(schema, name, isArgument);
    if (type !== name) this.#definitions.set(name, `${comment(schema.description, '')}${name} = ${type}`);
  }

  text(): string {
    return [...this.#definitions.values()].join('\n\n\n');
  }

  /** The type's name; an object with known fields becomes a class called `name`. */
  #type(schema: DocumentSchema, name: string, isArgument: boolean): string {
    const inner = (one: DocumentSchema, suffix = '') => this.#type(one, name + suffix, isArgument);
    if (schema.$ref) return this.#component(schema.$ref.replace('#/components/schemas/', ''), isArgument);
    if (schema.const !== undefined) return literal([schema.const]);
    if (schema.enum) return literal(schema.enum);
    const variants = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (variants) {
      const several = variants.filter(({ properties }) => properties).length > 1;
      const types = [
        ...new Set(variants.map((one, at) => inner(one, several && one.properties ? `${at + 1}` : ''))),
      ];
      return types.length === 1 ? `${types[0]}` : `Union[${types.join(', ')}]`;
    }
    if (Array.isArray(schema.type)) {
      const types = schema.type.map((type) => inner({ ...schema, type }));
      return `Union[${types.join(', ')}]`;
    }
    if (schema.type === 'array') {
      const item = inner(schema.items ?? {}, 'Item');
      return `${isArgument ? 'Sequence' : 'List'}[${item}]`;
    }
    if (schema.type !== 'object') return SIMPLE[schema.type ?? ''] ?? 'Any';
    if (schema.properties && Object.keys(schema.properties).length > 0)
      return this.#class(schema, name, isArgument);
    const values = schema.additionalProperties;
    const value = typeof values === 'object' ? inner(values, 'Value') : 'Any';
    return `${isArgument ? 'Mapping' : 'Dict'}[str, ${value}]`;
  }

  #component(component: string, isArgument: boolean): string {
    const name = this.#names[component] ?? component;
    const schema = this.#components[component];
    if (!schema) throw new Error(`The document has no schema ${component}.`);
    // A schema that contains itself, such as any JSON.
    if (this.#open.has(component)) return 'Any';
    if (!this.#definitions.has(name)) {
      this.#open.add(component);
      this.define(name, schema, isArgument);
      this.#open.delete(component);
    }
    return name;
  }

  /** Required and optional fields are in two classes: `NotRequired` needs Python 3.11. */
  #class({ properties = {}, required = [], description }: DocumentSchema, name: string, isArgument: boolean) {
    const fields = (wanted: boolean) =>
      Object.entries(properties)
        .filter(([field]) => required.includes(field) === wanted)
        .map(([field, one]) => {
          const type = this.#type(one, name + toPascalCase(field), isArgument);
          return `${comment(one.description, '    ')}    ${field}: ${type}`;
        });
    const [must, may] = [fields(true), fields(false)];
    const about = description ? `    """${description.replace(/\s+/g, ' ')}"""\n\n` : '';
    const base = must.length > 0 && may.length > 0 ? `_${name}Required` : undefined;
    if (base) this.#definitions.set(base, `class ${base}(TypedDict):\n${must.join('\n')}`);
    const bases = base ? `${base}, total=False` : may.length > 0 ? 'TypedDict, total=False' : 'TypedDict';
    const own = base ? may : [...must, ...may];
    this.#definitions.set(name, `class ${name}(${bases}):\n${about}${own.join('\n')}`);
    return name;
  }
}

const literal = (values: unknown[]) =>
  `Literal[${values.map((value) => (value === null ? 'None' : typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value))).join(', ')}]`;

const toPascalCase = (field: string) =>
  field.replace(/(?:^|_)(\w)/g, (_, first: string) => first.toUpperCase());

/** A description as a comment that documentation tools read. */
function comment(text: string | undefined, indent: string): string {
  if (!text) return '';
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + word.length + 4 <= LINE)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}#: ${line}\n`).join('');
}
