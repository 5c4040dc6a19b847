# On what was measured: the machine and the versions of what ran on it. Nothing that names the machine.
package Bench::Machine;
use v5.36;

use Bench::Subject;
use POSIX qw(strftime);

# The first match of a pattern in what a command says.
sub said ($pattern, @command) {
  my $pid = open(my $out, '-|') // return '';
  if (!$pid) {
    open STDERR, '>&', \*STDOUT;
    exec @command or POSIX::_exit(127);
  }
  my $text = do { local $/; <$out> } // '';
  close $out;
  return $text =~ $pattern ? $1 : '';
}

sub in_file ($pattern, $path) { return said($pattern, 'cat', $path) }

sub describe () {
  my ($root, $cores) = (Bench::Subject::root(), said(qr/(\d+)/, 'nproc'));
  return {
    at     => strftime('%Y-%m-%d %H:%M UTC', gmtime),
    commit => said(qr/^([0-9a-f]{10,})$/m, 'git', '-C', $root, 'rev-parse', '--short=10', 'HEAD') . (changed($root) ? '+changes' : ''),
    cpu    => in_file(qr/^model name\s*:\s*(.*)$/m, '/proc/cpuinfo'),
    cores  => $cores,
    memory => sprintf('%.0f GB', (in_file(qr/^MemTotal:\s+(\d+)/m, '/proc/meminfo') || 0) / 1024 / 1024),
    virtual => in_file(qr/^flags.*\b(hypervisor)\b/m, '/proc/cpuinfo') ? 'a virtual machine' : 'no virtual machine',
    load   => in_file(qr/^(\S+)/, '/proc/loadavg'),
    kernel => said(qr/^(\d+\.\d+)/, 'uname', '-r'),
    system => in_file(qr/^PRETTY_NAME="(.*)"$/m, '/etc/os-release'),
    versions => versions(),
  };
}

# Whether the files that git keeps are others than the commit's, but for those that a measurement writes.
sub changed ($root) {
  return said(qr/^([ MADRCUT]{2}) /m, 'git', '-C', $root, 'status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs/performance.md', ':!docs/plots');
}

sub versions () {
  my @all = (
    [ nginx      => said(qr{nginx/(\S+)},         '/usr/sbin/nginx', '-v') ],
    [ Apache     => said(qr{Apache/(\S+)},        '/usr/sbin/apache2', '-v') ],
    [ Redis      => said(qr/v=(\S+)/,             'redis-server', '--version') ],
    [ PostgreSQL => said(qr/\) (\S+)/,            'psql', '--version') ],
    [ LuaJIT     => said(qr/^Version: (\S+)$/m,   'dpkg', '-s', 'libluajit2-5.1-2') || said(qr/^Version: (\S+)$/m, 'dpkg', '-s', 'libluajit-5.1-2') ],
    [ Flask      => said(qr/^Version: (\S+)$/m,   'dpkg', '-s', 'python3-flask') ],
    [ gunicorn   => said(qr/^Version: (\S+)$/m,   'dpkg', '-s', 'gunicorn') ],
    [ psycopg2   => said(qr/^Version: (\S+)$/m,   'dpkg', '-s', 'python3-psycopg2') ],
    [ Node       => said(qr/v(\S+)/,              'node', '--version') ],
    [ Express    => npm_version('express') ],
    [ pg         => npm_version('pg') ],
    [ wrk        => said(qr/wrk (?:debian\/)?(\S+)/, 'wrk', '-v') ],
  );
  return [ grep { $_->[1] } @all ];
}

sub npm_version ($name) {
  my $root = Bench::Subject::root();
  return in_file(qr{"node_modules/\Q$name\E": \{\s*"version": "([^"]+)"}, "$root/bench/peers/express/package-lock.json");
}

1;
