#!/usr/bin/env bash
# Fetches Keycloak once from Maven Central into a cache outside of the tree, and makes it ready to start; prints where it is. For tests only.
. "$(dirname "$0")/lib.sh"

version=26.5.6
home=$cache/keycloak-$version
if [ ! -e "$home/ready" ]; then
    has java || apt_install openjdk-17-jre-headless
    has mvn || apt_install maven
    say "fetching keycloak $version into $cache"
    rm -rf "$home"
    mkdir -p "$home"
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:tar.gz" "-DoutputDirectory=$home" >&2
    tar -xzf "$home/keycloak-quarkus-dist-$version.tar.gz" -C "$home" --strip-components 1
    rm "$home/keycloak-quarkus-dist-$version.tar.gz"
    "$home/bin/kc.sh" build --db=dev-mem >&2
    touch "$home/ready"
fi
echo "$home"
