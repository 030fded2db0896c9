/** A command that is to run without anybody there. */
export interface ServiceJob {
  /** Name of the unit: letters, digits and dashes. */
  readonly name: string;
  readonly description: string;
  /** The program and its arguments, as they are. */
  readonly command: readonly string[];
  /** The project's folder: settings, `.env`, data and logs lie in it. */
  readonly folder: string;
  /** Folders outside it that the command writes to. */
  readonly writes: readonly string[];
  /** `undefined`: it runs for ever; else the minute and hour of each day, UTC, at which it starts. */
  readonly daily: { readonly hour: number; readonly minute: number } | undefined;
}

/**
 * A systemd unit that may write to the project's folder and nowhere else, and gains no right it does not have (systemd.exec(5)). V8
 * makes machine code as it runs, so `MemoryDenyWriteExecute` cannot be set. Wrong command lines (2) and findings (3) are
 * not tried again. With fewer arenas glibc keeps some 40 MB less of what the threads of a session of months have freed (mallopt(3)).
 */
export function systemdUnit(job: ServiceJob, user: string): string {
  const { description, command, folder, writes, daily } = job;
  return `[Unit]
Description=${unitText(description)}
Wants=network-online.target
After=network-online.target

[Service]
Type=${daily === undefined ? 'exec' : 'oneshot'}
User=${unitText(user)}
WorkingDirectory=${unitText(folder)}
ExecStart=${command.map(unitWord).join(' ')}
${daily === undefined ? 'Environment=MALLOC_ARENA_MAX=2\nRestart=on-failure\nSuccessExitStatus=130\nRestartSec=30\nRestartPreventExitStatus=2 3\n' : ''}TimeoutStopSec=15
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${[folder, ...writes].map(unitWord).join(' ')}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
${daily === undefined ? '\n[Install]\nWantedBy=multi-user.target\n' : ''}`;
}

/** What starts a daily job. */
export const systemdTimer = (
  { description }: ServiceJob,
  { hour, minute }: NonNullable<ServiceJob['daily']>,
): string =>
  `[Unit]
Description=${unitText(description)}, daily

[Timer]
OnCalendar=*-*-* ${two(hour)}:${two(minute)}:00 UTC
Persistent=yes

[Install]
WantedBy=timers.target
`;

/** A launchd agent (launchd.plist(5)). Its hours are of the machine's own time zone. */
export function launchdPlist({ name, command, folder, daily }: ServiceJob): string {
  const when =
    daily === undefined
      ? '  <key>KeepAlive</key>\n  <dict><key>SuccessfulExit</key><false/></dict>\n  <key>ThrottleInterval</key>\n  <integer>30</integer>'
      : `  <key>StartCalendarInterval</key>\n  <dict><key>Hour</key><integer>${daily.hour}</integer><key>Minute</key><integer>${daily.minute}</integer></dict>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xml(name)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    <string>${xml(word)}</string>`).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>${xml(folder)}</string>
${when}
  <key>RunAtLoad</key>
  <${daily === undefined ? 'true' : 'false'}/>
  <key>ExitTimeOut</key>
  <integer>15</integer>
  <key>Umask</key>
  <integer>63</integer>
</dict>
</plist>
`;
}

/** A line of a crontab: at every start of the machine, or every day. cron reads a percent sign as the end of the line. */
export function crontabLine({ command, folder, daily }: ServiceJob): string {
  const when = daily === undefined ? '@reboot' : `${daily.minute} ${daily.hour} * * *`;
  const words = `cd ${shellWord(folder)} && exec ${command.map(shellWord).join(' ')}`;
  return `${when} ${words.replaceAll('%', '\\%')}\n`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** systemd.unit(5): a percent sign starts a specifier, and a value ends with its line. */
const unitText = (text: string): string => text.replaceAll('%', '%%').replace(/[\r\n]/g, ' ');

/** systemd.service(5), "Command lines": quoted, `$` doubled. */
const unitWord = (word: string): string =>
  /^[\w./:=@+-]+$/.test(word)
    ? word
    : `"${unitText(word).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')}"`;

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const shellWord = (word: string): string =>
  /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
