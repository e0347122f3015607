/** The Python client is made from its asynchronous half and from the OpenAPI document. */
import { expect, test } from 'vitest';
import { toBlocking } from '../../scripts/generate/python-blocking.ts';
import { PythonTypes } from '../../scripts/generate/python-types.ts';

test('asynchronous Python becomes blocking Python', () => {
  const source = [
    'from anyio import sleep',
    'class AsyncWorker:',
    '    async def output(self, client: httpx.AsyncClient) -> AsyncGenerator[Entry, None]:',
    '        async with client.stream() as response, AsyncExitStack():',
    '            async for chunk in response.aiter_bytes():',
    '                yield await self.read(chunk)',
    '    async def __aexit__(self) -> None:',
    '        await self.aclose()',
  ];
  expect(toBlocking(source.join('\n')).split('\n')).toEqual([
    'from time import sleep',
    'class Worker:',
    '    def output(self, client: httpx.Client) -> Generator[Entry, None, None]:',
    '        with client.stream() as response, ExitStack():',
    '            for chunk in response.iter_bytes():',
    '                yield self.read(chunk)',
    '    def __exit__(self) -> None:',
    '        self.close()',
  ]);
});

test('schemas become types of Python 3.9', () => {
  const types = new PythonTypes(
    { Size: { type: 'string', enum: ['small', 'large'] } },
    { Size: 'ShirtSize' },
  );
  types.define(
    'Shirt',
    {
      type: 'object',
      description: 'A shirt.',
      properties: {
        size: { $ref: '#/components/schemas/Size' },
        colours: { type: 'array', items: { type: 'string' }, description: 'From top to bottom.' },
        print: { anyOf: [{ type: 'object', properties: { text: { type: 'string' } } }, { type: 'null' }] },
      },
      required: ['size'],
    },
    false,
  );
  expect(types.text().split('\n')).toEqual([
    'ShirtSize = Literal["small", "large"]',
    '',
    '',
    'class ShirtPrint(TypedDict, total=False):',
    '    text: str',
    '',
    '',
    'class _ShirtRequired(TypedDict):',
    '    size: ShirtSize',
    '',
    '',
    'class Shirt(_ShirtRequired, total=False):',
    '    """A shirt."""',
    '',
    '    #: From top to bottom.',
    '    colours: List[str]',
    '    print: Union[ShirtPrint, None]',
  ]);
});
