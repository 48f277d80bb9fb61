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
for f in "$use" "$csr" "$(dirname -- "$csr")"; do sync -- "$f" 2>/dev/null || sync; done`;
export const REQUEST_FAULTS: Readonly<Record<number, string>> = {
  54: 'A request of this name lies on the device already.',
  60: 'Nothing can be written beside the key; which account may?',
  61: 'The device has no openssl, so it cannot make a key. Have the key made here.',
  62: 'The key that was to be used again cannot be read.',
  63: "The device's openssl could not make the key.",
  64: "The device's openssl could not make the request.",
};

/** What lies at a path, as a digest, and whether the version before is kept beside it. */
export const PLACE = `
p=$(readlink -f -- "$1") || p=$1
d=nothing
if [ -e "$p" ]; then
  [ -f "$p" ] || exit 42
  [ -r "$p" ] || exit 43
  d=$(sha256sum < "$p" | cut -c 1-64)
fi
k=no
if [ -e "$p$2" ] || [ -e "$p$2.none" ]; then k=yes; fi
printf '%s %s\\n' "$d" "$k"`;

/**
 * A copy is whole before it has its name: what is put back is never half of a file. Where nothing lay, that is kept too. What a check
 * or a restart says goes to a file first: written to a log-in that was lost meanwhile, it would end the service that says it. Only
 * what was written is flushed: a busy device takes minutes for all of its disks.
 */
const BACK = `
back() {
  if [ -e "$1$old" ]; then mv -f -- "$1$old" "$1" || return 1
  elif [ -e "$1$old.none" ]; then rm -f -- "$1" && rm -f -- "$1$old.none" || return 1; fi
  rm -f -- "$1$old.part"
}
flush() { sync -- "$1" 2>/dev/null || sync || :; }
run() {
  (umask 077; : > "$said") || return 1
  sh -c "$1" < /dev/null > "$said" 2>&1
  code=$?
  cat -- "$said" >&2
  rm -f -- "$said"
  return $code
}
same() {
  if [ "$replaces" = nothing ]; then [ ! -e "$1" ]
  else [ "$(sha256sum < "$1" | cut -c 1-64)" = "$replaces" ]; fi
}`;

/**
 * Arguments: suffix, digest, waiting key, key, check, restart, then each file with its new version, the one of the digest first. It
 * is kept first and replaced last, so that kept and not replaced means cut off in between.
 */
export const SWITCH = `
old=$1; replaces=$2; waiting=$3; key=$4; check=$5; restart=$6; shift 6
${BACK}
each() { act=$1; shift; while [ $# -gt 0 ]; do "$act" "$1" "$2" || return 1; shift 2; done; }
fresh() { [ ! -e "$1$old" ] && [ ! -e "$1$old.none" ]; }
keep() {
  if [ -e "$1" ]; then cp -p -- "$1" "$1$old.part" && mv -f -- "$1$old.part" "$1$old"
  else (umask 077; : > "$1$old.none"); fi
}
drop() { rm -f -- "$1$old" "$1$old.none" "$1$old.part"; }
firm() { [ ! -e "$1$old" ] || flush "$1$old"; }
turn() { mv -f -- "$2" "$1" && flush "$(dirname -- "$1")"; }
turn_all() { main=$1; main_new=$2; shift 2; each turn "$@" && turn "$main" "$main_new"; }
said="$1$old.said"
[ -z "$replaces" ] || same "$1" || exit 54
new=
if [ -n "$waiting" ]; then
  [ -s "$waiting" ] || exit 65
  real=$(readlink -f -- "$key") && key=$real
  new="$key$old.new"
  if [ -e "$key" ]; then cp -p -- "$key" "$new"; else (umask 077; : > "$new"); fi
  cat "$waiting" > "$new" || { rm -f -- "$new"; exit 66; }
  flush "$new"
  set -- "$@" "$key" "$new"
fi
clean() { [ -z "$new" ] || rm -f -- "$new"; }
each fresh "$@" || { clean; exit 55; }
each keep "$@" || { each drop "$@"; clean; exit 55; }
undo() { each back "$@"; clean; flush "$(dirname -- "$1")"; }
each firm "$@"
stop=
trap 'stop=1' HUP INT TERM
turn_all "$@" || { undo "$@"; exit 56; }
[ -z "$check" ] || run "$check" || { undo "$@"; exit 57; }
[ -z "$stop" ] || { undo "$@"; exit 59; }
trap - HUP INT TERM
run "$restart" || { undo "$@"; run "$restart"; exit 58; }
[ -z "$waiting" ] || rm -f -- "$waiting"
exit 0`;
export const SWITCH_FAULTS: Readonly<Record<number, string>> = {
  54: 'Somebody has changed the certificate on the device since.',
  55: 'The old files cannot be kept beside the new ones, so nothing was changed.',
  56: 'The new files cannot take the place of the old ones; the old ones were put back.',
  57: "The device's own check refuses the new files; the old ones were put back.",
  58: 'The service does not restart with the new files; the old ones were put back and it was restarted again.',
  59: 'The device ended the installation before it was done; the old files were put back.',
  65: 'The key that was made for the request is gone from the device. Undo the request, and make a new one.',
  66: 'The new key cannot be put beside the old one.',
};

/** New versions that an installation did not come to use, because it was cut off; one of them may be a key. */
const STAGED = `.lockstep-${'[0-9a-f]'.repeat(12)}`;

/** Arguments: suffix, digest, waiting key, key, restart, then the files, the one of the digest first. */
export const RESTORE = `
old=$1; replaces=$2; waiting=$3; key=$4; restart=$5; shift 5
${BACK}
main=$(readlink -f -- "$1") || main=$1
said="$main$old.said"
shift
[ -e "$main$old" ] || [ -e "$main$old.none" ] || exit 67
same "$main" || exit 54
if [ -n "$waiting" ] && [ ! -e "$waiting" ]; then
  (umask 077; cat "$key" > "$waiting.part") && mv -f -- "$waiting.part" "$waiting" || exit 68
fi
for file in "$@" "$main"; do
  f=$(readlink -f -- "$file") || f=$file
  back "$f" || exit 69
  rm -f -- "$f$old.new" "$f"${STAGED}
  flush "$(dirname -- "$f")"
done
run "$restart" || exit 70`;
export const RESTORE_FAULTS: Readonly<Record<number, string>> = {
  54: 'Somebody has changed the certificate on the device since.',
  67: 'The old files are not beside the new ones any more.',
  68: 'The new key cannot be kept for later.',
  69: 'The old files cannot be put back in their places.',
  70: 'The old files are back, but the service does not restart. Restart it at the device.',
};
