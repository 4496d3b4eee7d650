import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scriptOf } from '../../../../../../src/identify/process/linux/procfs/process.ts';

/** Name of the script from a typed command line, whose first word is the executable. */
const script = (line: string, exe = line.split(' ', 1)[0] as string) => scriptOf(exe, `${line.split(' ').join('\0')}\0`);

describe('scriptOf', () => {
  it.each([
    ['python3 /srv/backup.py --all', 'backup.py'],
    ['/usr/bin/python3.11 -u -W ignore tool.py', 'tool.py'],
    ['python3 -m http.server 8000', 'http.server'],
    ['pypy3 x.py', 'x.py'],
    ['node --import ./hooks.js server.js', 'server.js'],
    ['node --max-old-space-size=100 /app/index.mjs', 'index.mjs'],
    ['nodejs app.js', 'app.js'],
    ['bash /etc/init.d/thing start', 'thing'],
    ['sh ./run.sh', 'run.sh'],
    ['ruby -I lib bin/rails', 'rails'],
    ['perl -w script.pl', 'script.pl'],
    ['java -Xmx1g -cp a.jar:b.jar -jar /opt/server.jar', 'server.jar'],
    ['java -cp a.jar com.example.Main', 'com.example.Main'],
    ['java -m my.module/com.example.Main', 'com.example.Main'],
  ])('%s', (line, name) => {
    expect(script(line)).toBe(name);
  });

  it.each([
    'curl -s https://example.com/x.py',
    'python3',
    'python3 -c print(1)',
    'node -e 1 x.js',
    'bash -c ./x.sh',
    'perl -e 1',
    'php -r 1',
    'python3 -m',
    'node -r ./hooks.js',
  ])('nothing: %s', (line) => {
    expect(script(line)).toBeNull();
  });

  it('knows the messenger of any run by its path', () => {
    const path = fileURLToPath(new URL('../../../../../../src/messenger/messenger-main.js', import.meta.url));
    expect(script(`node --max-old-space-size=48 ${path}`)).toBe('netmon-tui (sender)');
    expect(script('node /elsewhere/messenger/messenger-main.js')).toBe('messenger-main.js');
  });

  it('goes by the executable, not by what the arguments claim', () => {
    expect(script('python3 x.py', '/usr/bin/curl')).toBeNull();
    expect(script('anything x.py', '/usr/bin/python3.12')).toBe('x.py');
  });

  it('reads names with blanks, empty arguments and a missing NUL at the end', () => {
    expect(scriptOf('python3', 'python3\0/home/me/my script.py\0')).toBe('my script.py');
    expect(scriptOf('node', 'node\0x.js')).toBe('x.js');
    expect(scriptOf('node', '')).toBeNull();
  });

  it('strips and truncates hostile text', () => {
    expect(scriptOf('python3', 'python3\0/tmp/a\u001b[31mb.py\0')).toBe('a[31mb.py');
    expect(scriptOf('python3', `python3\0${'x'.repeat(5000)}\0`)?.length).toBe(64);
    expect(scriptOf('python3', 'python3\0\u001b\0')).toBeNull();
  });
});
