/**
 * What runs on the device: POSIX shell with coreutils and openssl, nothing else. Each exit code has its sentence; 54 is 'somebody was here since', and from 69 on a script ended half-way.
 */

export const REQUEST = `
umask 077
key=$1; new=$2; csr=$3
[ ! -e "$csr" ] || exit 54
cnf="$csr.cnf"
trap 'rm -f -- "$cnf"' EXIT
cat > "$cnf" || exit 60
command -v openssl > /dev/null || exit 61
if [ "$6" = same ]; then use=$key; [ -r "$key" ] || exit 62
else
  [ ! -e "$new" ] || exit 54
  use=$new
  if [ "$4" = EC ]; then openssl genpkey -algorithm EC -pkeyopt "$5" -pkeyopt ec_param_enc:named_curve -out "$new" || { rm -f -- "$new"; exit 63; }
  else openssl genpkey -algorithm RSA -pkeyopt "$5" -out "$new" || { rm -f -- "$new"; exit 63; }; fi
fi
openssl req -new -sha256 -key "$use" -config "$cnf" -out "$csr.part" || { rm -f -- "$csr.part"; [ "$6" = same ] || rm -f -- "$new"; exit 64; }
chmod 644 "$csr.part" && mv -f -- "$csr.part" "$csr"
sync`;
export const REQUEST_FAULTS: Readonly<Record<number, string>> = {
  54: 'A request of this name lies on the device already.',
  60: 'Nothing can be written beside the key; which account may?',
  61: 'The device has no openssl, so it cannot make a key. Have the key made here.',
  62: 'The key that was to be used again cannot be read.',
  63: "The device's openssl could not make the key.",
  64: "The device's openssl could not make the request.",
};

export const SWITCH = `
cert=$1; cert_new=$2; chain=$3; chain_new=$4; key=$5; key_new=$6; waiting=$7; old=$8; replaces=$9; shift 9
check=$1; restart=$2
key=$(readlink -f -- "$key") || key=$5
if [ -n "$replaces" ]; then
  if [ "$replaces" = nothing ]; then [ ! -e "$cert" ] || exit 54
  else [ "$(sha256sum < "$cert" | cut -c 1-64)" = "$replaces" ] || exit 54; fi
fi
if [ -n "$waiting" ]; then
  [ -s "$waiting" ] || exit 65
  key_new="$key$old.part"
  if [ -e "$key" ]; then cp -p -- "$key" "$key_new"; else (umask 077; : > "$key_new"); fi
  cat "$waiting" > "$key_new" || { rm -f -- "$key_new"; exit 66; }
fi
for f in "$key" "$cert" "$chain"; do [ -z "$f" ] || [ ! -e "$f$old" ] || exit 55; done
keep() { [ -z "$1" ] || [ ! -e "$1" ] || cp -p -- "$1" "$1$old"; }
back() {
  for f in "$key" "$cert" "$chain"; do
    [ -n "$f" ] || continue
    if [ -e "$f$old" ]; then mv -f -- "$f$old" "$f"; fi
  done
}
had_key=; had_cert=; had_chain=
[ ! -e "$key" ] || had_key=1
[ ! -e "$cert" ] || had_cert=1
[ -z "$chain" ] || [ ! -e "$chain" ] || had_chain=1
undo() {
  back
  [ -n "$had_key" ] || rm -f -- "$key"
  [ -n "$had_cert" ] || rm -f -- "$cert"
  [ -z "$chain" ] || [ -n "$had_chain" ] || rm -f -- "$chain"
  [ -z "$waiting" ] || rm -f -- "$key_new"
}
keep "$key" && keep "$cert" && keep "$chain" || { undo; exit 55; }
{ [ -z "$key_new" ] || mv -f -- "$key_new" "$key"; } && { [ -z "$chain" ] || mv -f -- "$chain_new" "$chain"; } && mv -f -- "$cert_new" "$cert" || { undo; exit 56; }
sync
[ -z "$check" ] || sh -c "$check" < /dev/null >&2 || { undo; exit 57; }
sh -c "$restart" < /dev/null >&2 || { undo; sh -c "$restart" < /dev/null >&2; exit 58; }
[ -z "$waiting" ] || rm -f -- "$waiting"
exit 0`;
export const SWITCH_FAULTS: Readonly<Record<number, string>> = {
  54: 'Somebody has changed the certificate on the device since.',
  55: 'The old files cannot be kept beside the new ones, so nothing was changed.',
  56: 'The new files cannot take the place of the old ones; the old ones were put back.',
  57: "The device's own check refuses the new files; the old ones were put back.",
  58: 'The service does not restart with the new files; the old ones were put back and it was restarted again.',
  65: 'The key that was made for the request is gone from the device. Undo the request, and make a new one.',
  66: 'The new key cannot be put beside the old one.',
};

export const RESTORE = `
key=$(readlink -f -- "$1") || key=$1
cert=$(readlink -f -- "$2") || cert=$2
chain=$3; old=$4; new_digest=$5; waiting=$6; restart=$7
[ -z "$chain" ] || chain=$(readlink -f -- "$chain") || chain=$3
[ -e "$cert$old" ] || exit 67
[ "$(sha256sum < "$cert" | cut -c 1-64)" = "$new_digest" ] || cmp -s -- "$cert" "$cert$old" || exit 54
if [ -n "$waiting" ] && [ ! -e "$waiting" ]; then (umask 077; cat "$key" > "$waiting") || exit 68; fi
for f in "$key" "$cert" "$chain"; do
  [ -n "$f" ] || continue
  [ ! -e "$f$old" ] || mv -f -- "$f$old" "$f" || exit 69
done
sync
sh -c "$restart" < /dev/null >&2 || exit 70`;
export const RESTORE_FAULTS: Readonly<Record<number, string>> = {
  54: 'Somebody has changed the certificate on the device since.',
  67: 'The old files are not beside the new ones any more.',
  68: 'The new key cannot be kept for later.',
  69: 'The old files cannot be put back in their places.',
  70: 'The old files are back, but the service does not restart. Restart it at the device.',
};
