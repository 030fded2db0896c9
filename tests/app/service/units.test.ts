import { XMLValidator } from 'fast-xml-parser';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  crontabLine,
  launchdPlist,
  type ServiceJob,
  systemdTimer,
  systemdUnit,
} from '../../../src/app/service/units.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** A folder that every one of the three formats has a trap for. */
const JOB: ServiceJob = {
  name: 'trader',
  description: 'crypto-trader paper at 100 %',
  command: [
    '/usr/bin/node',
    '/opt/ct/bin/crypto-trader.js',
    'paper',
    '--name',
    `it's "50 %" of $HOME & <more>`,
  ],
  folder: '/srv/my trader',
  writes: ['/var/lib/ct'],
  daily: undefined,
};

describe('systemd', () => {
  it('quotes what it would read as something else', () => {
    const unit = systemdUnit(JOB, 'ct');
    expect(unit).toContain('Description=crypto-trader paper at 100 %%\n');
    expect(unit).toContain(
      `ExecStart=/usr/bin/node /opt/ct/bin/crypto-trader.js paper --name "it's \\"50 %%\\" of $$HOME & <more>"\n`,
    );
    expect(unit).toContain('WorkingDirectory=/srv/my trader\n');
    expect(unit).toContain('ReadWritePaths="/srv/my trader" /var/lib/ct\n');
    expect(unit).toContain('Restart=on-failure\n');
    expect(unit).toContain('Environment=MALLOC_ARENA_MAX=2\n');
  });

  it('starts a daily job by a timer, once, also when the machine was off', () => {
    const daily = { hour: 3, minute: 5 };
    const unit = systemdUnit({ ...JOB, daily }, 'ct');
    expect(unit).toContain('Type=oneshot\n');
    expect(unit).not.toContain('Restart=');
    const timer = systemdTimer(JOB, daily);
    expect(timer).toContain('OnCalendar=*-*-* 03:05:00 UTC\n');
    expect(timer).toContain('Persistent=yes\n');
  });
});

it('launchd reads a property list, whatever stands in it', () => {
  const plist = launchdPlist(JOB);
  expect(XMLValidator.validate(plist)).toBe(true);
  expect(plist).toContain('<string>it\'s "50 %" of $HOME &amp; &lt;more&gt;</string>');
});

it('cron and the shell hand the words on as they are', () => {
  const line = crontabLine({ ...JOB, folder: '/tmp', command: ['printf', '%s|', ...JOB.command.slice(2)] });
  expect(line).toMatch(/^@reboot /);
  // What cron does before the shell gets it.
  const shell = line.replace('@reboot ', '').replaceAll('\\%', '%');
  expect(execFileSync('sh', ['-c', shell], { encoding: 'utf8' })).toBe(`${JOB.command.slice(2).join('|')}|`);
});

it('prints what starts this very project, and looks at no session where there is none', async () => {
  const cwd = temporaryFolder();
  const { status, stdout } = await runCli(
    [
      'service',
      'install',
      '--name',
      'retrainer',
      '--daily-at',
      '3:00',
      '--',
      'retrain',
      '--if-older-than',
      '7d',
    ],
    { cwd },
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/ExecStart=.*crypto-trader\.js retrain --if-older-than 7d\n/);
  expect(stdout).toContain(`WorkingDirectory=${cwd}`);
  expect(stdout).toContain('OnCalendar=*-*-* 03:00:00 UTC');
  const wrong = await runCli(['service', 'install', '--daily-at', '25:00', '--', 'paper'], { cwd });
  expect(wrong).toMatchObject({ status: 2 });
  const none = await runCli(['service', 'status'], { cwd });
  expect(none).toMatchObject({ status: 1 });
  expect(none.stderr).toContain('There is no session to look at.');
});
