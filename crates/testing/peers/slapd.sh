# slapd with a small directory, in $1, at port $2 (plain and StartTLS) and $3 (TLS). Prints one line when it answers, and ends
# with its standard input. Run by sh.
set -eu
data=$1
mkdir "$data/db"
cat >"$data/slapd.conf" <<CONFIG
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCertificateFile $data/server.pem
TLSCertificateKeyFile $data/server.key
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw adminpw
directory $data/db
maxsize 16777216
dbnosync
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=hidden,dc=example,dc=test" by * none
access to * by users read by * none
CONFIG
person() {
    printf 'dn: uid=%s,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: x\nmail: %s@example.test\nuserPassword: %s-password\n\n' \
        "$1" "$2" "$1" "$3" "$1" "$1"
}
people=ou=people,dc=example,dc=test
{
    printf 'dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n'
    for unit in people groups twins hidden; do
        printf 'dn: ou=%s,dc=example,dc=test\nobjectClass: organizationalUnit\nou: %s\n\n' $unit $unit
    done
    printf 'dn: uid=service,dc=example,dc=test\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: service\nuserPassword: service-password\n\n'
    person ada $people 'Ada Lovelace'
    person bob $people 'Bob Builder'
    person twin $people 'First Twin'
    person twin ou=twins,dc=example,dc=test 'Second Twin'
    for group in platform audit; do
        printf 'dn: cn=%s,ou=groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: %s\nmember: uid=ada,%s\n' $group $group $people
        printf 'member: uid=bob,%s\n\n' $people
    done
} >"$data/seed.ldif"
PATH=$PATH:/usr/sbin
slapd -f "$data/slapd.conf" -h "ldap://127.0.0.1:$2 ldaps://127.0.0.1:$3" -d 0 >"$data/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server' EXIT
until ldapadd -x -H "ldap://127.0.0.1:$2" -D cn=admin,dc=example,dc=test -w adminpw -f "$data/seed.ldif" \
    >"$data/add.log" 2>&1; do
    kill -0 $server 2>/dev/null && grep -q "Can't contact" "$data/add.log" || { cat "$data/log" "$data/add.log" >&2; exit 1; }
    sleep 0.05
done
echo ready
cat >/dev/null
