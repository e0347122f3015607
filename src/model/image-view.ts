/** A worker image, as `GET /v1/images` and `wm images ls` show it. Times are RFC 3339 in UTC. */
export interface ImageView {
  /** `worker:<hash>` of its recipe. */
  name: string;
  id: string;
  agent_type: string;
  modules: string[];
  /** As `docker images` shows it, including shared layers. */
  size_bytes: number;
  created_at: string;
  /** Absent if no use is recorded. */
  last_used_at?: string | undefined;
  /** IDs of the workers, and names of the other containers, that use it. */
  used_by: string[];
  /** Holders that are about to create a container from it. */
  held_by: string[];
  /** Names that a user has added. */
  other_names: string[];
}
