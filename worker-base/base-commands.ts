/**
 * Programs that every locked image leaves to the agent, because no agent works without them and none of them reaches
 * beyond what the agent may do anyway. A test holds it to be the list by which the images are locked.
 */
export const BASE_COMMANDS: readonly string[] = (
  '[ basename bash cat chmod cmp comm cp cut date dash df diff dirname du echo env expr false file find fmt fold grep ' +
  'egrep fgrep gunzip gzip head hostname id join kill less ln ls md5sum mkdir mkfifo mktemp more mv nl nohup nproc od ' +
  'paste pgrep pkill printenv printf ps pwd readlink realpath rg rm rmdir sed seq sh sha1sum sha256sum sleep sort split ' +
  'stat stty tac tail tar tee test timeout touch tput tr true tty uname uniq wc which whoami xargs yes zcat'
).split(' ');
