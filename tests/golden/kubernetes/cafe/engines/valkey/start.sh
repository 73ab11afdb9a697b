# nodes.conf knows peers by the addresses that their pods had. When all pods went at once, nobody would find anybody:
# whom this server knows and does not reach is met again, where its name leads now.
say() { valkey-cli --user operator --no-auth-warning "$@"; }
peers() { say cluster nodes | grep -v myself; }
meet() {
  until say ping | grep -q PONG; do sleep 1; done
  while peers | grep -q -e disconnected -e fail; do
    for n in 0 1 2 3 4 5; do
      address="$(getent hosts "valkey-$n.valkey-peers" | cut -d ' ' -f 1)"
      id="$([ -z "$address" ] || say -h "$address" cluster myid)"
      # An address may be another cluster's by now.
      if [ -n "$id" ] && peers | grep -q "^$id "; then say cluster meet "$address" 6379; fi
    done
    sleep 2
  done
}
meet > /dev/null &
exec valkey-server /etc/valkey/configuration/valkey.conf --cluster-announce-ip "$POD_IP"
