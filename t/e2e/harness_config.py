# SPDX-License-Identifier: Apache-2.0
"""The httpd configuration of a test: Debian's modules in a directory of our own, and conf.d/eas.conf for our part."""
import grp
import os
import pathlib
import pwd
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = pathlib.Path("/usr/lib/apache2/modules")
EAS_CONF = ROOT / "conf.d" / "eas.conf"

BASE = """\
ServerRoot "{root}"
ServerName localhost
<Directory />
    AllowOverride None
    Require all denied
</Directory>
PidFile "{root}/httpd.pid"
DefaultRuntimeDir "{root}"
ErrorLog "{root}/error.log"
LogLevel notice eas:info
{user}
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule setenvif_module {modules}/mod_setenvif.so
LoadModule reqtimeout_module {modules}/mod_reqtimeout.so
LoadModule remoteip_module {modules}/mod_remoteip.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule eas_module {eas}
Mutex file:{root} default
SSLSessionCache none
KeepAlive On
KeepAliveTimeout 15
Timeout 60
{mpm_settings}
{listen}
"""

# Two or three children, each with a few threads; prefork gets processes instead.
MPM = {
    "event": "StartServers 2\nServerLimit 3\nThreadLimit 8\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 24\n"
             "MaxRequestWorkers 24\nMaxConnectionsPerChild 0\nGracefulShutdownTimeout 5",
    "worker": "StartServers 2\nServerLimit 3\nThreadLimit 8\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 24\n"
              "MaxRequestWorkers 24\nMaxConnectionsPerChild 0\nGracefulShutdownTimeout 5",
    "prefork": "StartServers 3\nMinSpareServers 2\nMaxSpareServers 4\nServerLimit 8\nMaxRequestWorkers 8\n"
               "MaxConnectionsPerChild 0\nGracefulShutdownTimeout 5",
}


def httpd_user():
    """(user, group) of the children; None when we are not root and everything runs as ourselves"""
    if os.getuid() != 0:
        return None
    for name in ("www-data", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return name, grp.getgrgid(entry.pw_gid).gr_name
        except KeyError:
            continue
    raise AssertionError("neither www-data nor nobody exists")


def module_path(failpoints=False):
    """mod_eas.so: EAS_MODULE (or EAS_MODULE_FAILPOINTS), a build in the tree, or the installed one"""
    if failpoints:
        given = os.environ.get("EAS_MODULE_FAILPOINTS")
        return pathlib.Path(given) if given else None
    places = [os.environ.get("EAS_MODULE"), ROOT / "mod_eas" / ".libs" / "mod_eas.so", MODULES / "mod_eas.so"]
    return next((pathlib.Path(p) for p in places if p and pathlib.Path(p).is_file()), None)


def make_certificate(directory):
    """self-made certificate for localhost, 127.0.0.1 and ::1: (certificate, key)"""
    cert, key = pathlib.Path(directory) / "tls.crt", pathlib.Path(directory) / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1", "-keyout", str(key),
                    "-out", str(cert)], check=True, capture_output=True)
    return cert, key


def eas_block(directives):
    """conf.d/eas.conf with our values: a directive it has (or shows commented out) is replaced in place, once; others
    are put before the LocationMatch block. A value of None comments the directive out; a list gives several lines."""
    lines, used = EAS_CONF.read_text(encoding="utf-8").splitlines(), set()
    out = []
    for line in lines:
        found = re.match(r"(\s*)#?\s*(EAS\w+)\b", line)
        name = found and found.group(2)
        if name in directives and (name in used or line.lstrip().startswith("# ")):
            out.append(line if line.lstrip().startswith("#") else "#" + line)
        elif name in directives:
            used.add(name)
            out += _lines(found.group(1), name, directives[name])
        else:
            out.append(line)
    extra = [l for name, value in directives.items() if name not in used for l in _lines("", name, value)]
    at = next((i for i, line in enumerate(out) if re.match(r"\s*<Location", line)), len(out))
    return "\n".join(out[:at] + extra + out[at:]) + "\n"


def _lines(indent, name, value):
    if value is None:
        return []
    return ["%s%s %s" % (indent, name, v) for v in (value if isinstance(value, (list, tuple)) else [value])]


def split_block(text):
    """eas.conf as (server part, virtual host part): directives that only a server takes, and the rest"""
    server, vhost = [], []
    for line in text.splitlines():
        name = line.split()[0] if line.split() else ""
        (server if name in SERVER_DIRECTIVES else vhost).append(line)
    return "\n".join(server), "\n".join(vhost)


SERVER_DIRECTIVES = ("EASStateDir", "EASSecretFile")


def write_secret(path):
    """one key, readable by root (or us) alone, as the module demands"""
    path.write_text("k1 %s\n" % os.urandom(32).hex(), encoding="ascii")
    path.chmod(0o600)


def own(path):
    """give a directory to the children"""
    user = httpd_user()
    if user:
        shutil.chown(path, *user)
