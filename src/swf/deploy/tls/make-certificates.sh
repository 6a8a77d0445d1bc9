#!/bin/sh
# Makes an authority of your own, and a certificate of it for a broker:
#
#   make-certificates.sh FOLDER HOST [HOST ...]        a HOST is a name or an address, as agents will write it in [bus] host
#
# FOLDER/ca.pem       the authority's certificate: [bus] ssl_ca_certs (variable ACTIVEMQ_SSL_CA_CERTS) of every agent
# FOLDER/ca.key       the authority's key: keep it away from the broker's host
# FOLDER/broker.p12   the broker's certificate and key; the password is in FOLDER/broker.p12.password
#
# Where there is an authority in FOLDER already, it is used again. Certificates are valid for DAYS days (a variable; 365).
set -eu
umask 077

if [ $# -lt 2 ]; then
    sed -n '2,/^set/p' "$0" | sed -e '/^set/d' -e 's/^# \{0,1\}//' >&2
    exit 2
fi
folder=$1
shift
days=${DAYS:-365}
mkdir -p "$folder"
cd "$folder"

names=
for host in "$@"; do
    case $host in
        *[!0-9A-Za-z.:_-]* | "") echo "make-certificates.sh: $host is neither a name nor an address" >&2; exit 2 ;;
        *:*) names="$names,IP:$host" ;;
        *[!0-9.]*) names="$names,DNS:$host" ;;
        *) names="$names,IP:$host" ;;
    esac
done

if [ ! -f ca.key ]; then
    openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days 3650 -subj "/CN=swf-testbed authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout ca.key -out ca.pem
fi
printf '%s\n' "basicConstraints=CA:FALSE" "keyUsage=digitalSignature,keyEncipherment" "extendedKeyUsage=serverAuth" \
    "subjectAltName=${names#,}" > broker.extensions
openssl req -newkey rsa:3072 -nodes -sha256 -subj "/CN=$1" -keyout broker.key -out broker.request
openssl x509 -req -in broker.request -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days "$days" \
    -extfile broker.extensions -out broker.pem
[ -s broker.p12.password ] || openssl rand -hex 24 > broker.p12.password
openssl pkcs12 -export -in broker.pem -inkey broker.key -certfile ca.pem -name broker -out broker.p12 \
    -passout file:broker.p12.password
rm -f broker.key broker.pem broker.request broker.extensions
chmod 644 ca.pem
echo "made in $(pwd): ca.pem for the agents, broker.p12 (and its password) for the broker at $*" >&2
