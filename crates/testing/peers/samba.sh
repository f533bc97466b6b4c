# A domain controller (Samba AD DC) in $1, with a few people and groups; its ports are those of Active Directory, so one at a time,
# as root. server.pem and server.key in $1 are its certificate. Prints one line when it answers, and ends with its standard
# input. Run by sh.
set -eu
data=$1
provision() {
    samba-tool domain provision --realm=CORP.EXAMPLE.TEST --domain=CORP --server-role=dc --dns-backend=NONE \
        --adminpass='Adm1n-password' --host-name=dc1 --host-ip=127.0.0.1 --targetdir="$data/dc" \
        --option="interfaces=lo" --option="bind interfaces only=yes"
}
provision >"$data/log" 2>&1 || { tail -20 "$data/log" >&2; exit 1; }
chmod 600 "$data/server.key"
config=$data/dc/etc/smb.conf
mkdir "$data/run"
sed -i "/^\[global\]/a server services = ldap, kdc, rpc, cldap\npid directory = $data/run\ntls enabled = yes\ntls keyfile = $data/server.key\ntls certfile = $data/server.pem\ntls cafile = $data/authority.pem" \
    "$config"
tool() { samba-tool "$@" -s "$config" >>"$data/log" 2>&1; }
for person in ada bob; do
    tool user create $person "Pass-word-of-$person-1" --given-name=$person --surname=Test --mail-address=$person@corp.example.test
done
tool user create gone Pass-word-of-gone-1
tool user disable gone
tool user create reader Pass-word-of-reader-1
for group in platform sre; do tool group add $group; done
tool group addmembers platform sre
tool group addmembers sre ada
setsid samba -F -s "$config" --no-process-group </dev/null >>"$data/log" 2>&1 &
server=$!
trap 'kill -- -$server 2>/dev/null; wait $server' EXIT
trap 'exit 1' TERM INT
# Only whether it answers: some resolvers make another name of localhost here. The tests hold the certificate against the name.
await 300 "$data/log" env LDAPTLS_REQCERT=never ldapsearch -x -H ldaps://127.0.0.1 -b '' -s base
echo ready
cat >/dev/null
