import { DockerClient, EngineRefusal } from './client.ts';

/** Whether the engine has an image of that name; throws `RuntimeDown` where the engine does not answer. */
export async function hasImage(host: string, image: string): Promise<boolean> {
  const client = new DockerClient({ host });
  try {
    await client.call('inspect', (docker) => docker.getImage(image).inspect());
    return true;
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return false;
    throw error;
  } finally {
    client.close();
  }
}
