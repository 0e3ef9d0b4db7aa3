# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2015,SC2209,SC2012,SC2034,SC2163  # splitting, and text for other shells, is meant throughout
# What sshsched runs on a host: the whole of it. POSIX sh with coreutils or busybox; nothing is installed.
#
# A control shell is sent this text once and then calls the functions under "Requests". A program is started by a
# chaperone, a process of its own that is the program's parent, outlives the ssh connection, and publishes the status.
# Reading text takes a shell as long as a fork: each one reads "Base" and the part it is made for, from SS_BASE, SS_CHILD,
# SS_CHAPERONE, SS_STOP and SS_PROBE in its environment.
# docs/spool.md is the contract of every file that is written here.
#
# Rules:
#   The claim decides. Whoever links its record to `claim` first has it: the program's own process just before exec, or
#   the scheduler, to seal it. link(2) fails if the name exists, so one of them wins, once.
#   Names of runs hold no blanks and no special characters; paths are quoted everywhere, for the spool's folder may.
#   Answers are lines behind a bar; what a tool complains of comes without one and is evidence.
#   What is there and cannot be read just now (no file can be opened) is unknown: never absent, dead or sealed.
#   Nothing here reads standard input: it is the stream of requests.
#   Where something is done for every run, it is done with builtins: a fork costs more than all the rest.

# Base ----------------------------------------------------------------------------------------------------------------

# ss_stat PID: set ss_state, ss_group and ss_born of that process, or fail if there is none. ss_line begins with its number.
# A name may hold blanks, brackets and newlines, so only what follows the last bracket of the last line counts.
# ss_blind is set where a process is there and cannot be looked at.
ss_stat() {
    ss_line=
    if [ -r "/proc/$1/stat" ]; then
        { while IFS= read -r ss_next || [ -n "$ss_next" ]; do
            ss_line=$ss_next
        done <"/proc/$1/stat"; } 2>/dev/null || [ ! -r "/proc/$1/stat" ] || ss_blind=yes
        set -- ${ss_line##*') '}
        [ $# -ge 20 ] || return 1
        ss_state=$1 ss_group=$3 ss_born=${20}
    elif [ -e /proc/self/stat ]; then
        return 1
    else
        set -- $(ps -o stat= -o pgid= -o lstart= -p "$1" 2>/dev/null)
        [ $# -ge 3 ] || return 1
        ss_state=$1 ss_group=$2
        shift 2
        ss_born=$(IFS=_ && printf '%s' "$*")
    fi
}

# ss_alive PID BORN: that very process lives; a zombie does not, nor does another one with its number.
ss_alive() {
    [ -n "$1" ] && ss_stat "$1" && [ "$ss_born" = "$2" ] || return 1
    case $ss_state in Z* | X*) return 1 ;; esac
}

# ss_uptime: set ss_up to seconds since boot, which no clock change moves; since 1970 where the host cannot tell.
ss_uptime() {
    # The time of day in its place would end a grace time at once, or never.
    until { read -r ss_up ss_rest </proc/uptime; } 2>/dev/null; do
        [ -r /proc/uptime ] || {
            ss_up=$(date +%s)
            return
        }
        ss_nap 0.1
    done
}

# ss_boot_id: set ss_boot to what changes with every boot, and only then.
ss_boot_id() {
    ss_boot=
    # Another word for the same boot would look like a reboot: where it is there, it is that or none.
    if [ -r /proc/sys/kernel/random/boot_id ]; then
        { read -r ss_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
    else
        ss_boot=$(sysctl -n kern.bootsessionuuid 2>/dev/null || sysctl -n kern.boottime 2>/dev/null) ||
            ss_boot=$(who -b 2>/dev/null | tr -cd '[:alnum:]')
    fi
}

# ss_nap SECONDS: sleep that long, or a second where only whole ones are known.
ss_nap() {
    sleep "$1" 2>/dev/null || sleep 1
}

# ss_jobs: have what is started in the background be a group of its own, where the shell can do that without a terminal.
# Where it cannot, `set -m` may end the shell, so another one tries first.
ss_jobs() {
    if (set -m) 2>/dev/null; then set -m 2>/dev/null; fi
}

# ss_claim DIR: set ss_who (none, sealed or program) and, of a program, ss_pid, ss_pid_born, ss_chap, ss_chap_born,
# ss_claim_boot. An empty claim is a seal too: on a full disk a name can still be linked where no byte can be written.
# Fails, with ss_who unknown and ss_blind, if the claim is there and cannot be read.
ss_claim() {
    ss_who=none ss_pid='' ss_pid_born='' ss_chap='' ss_chap_born='' ss_claim_boot=''
    [ -e "$1/claim" ] || [ -h "$1/claim" ] || return 0
    # Whatever has the name keeps the program from it. Only a file is read: a pipe would hold us for ever.
    ss_who=sealed
    [ -f "$1/claim" ] || return 0
    { while read -r ss_key ss_value ss_more; do
        case $ss_key in
        pid) ss_who=program ss_pid=$ss_value ss_pid_born=$ss_more ;;
        chaperone) ss_chap=$ss_value ss_chap_born=$ss_more ;;
        boot) ss_claim_boot=$ss_value ;;
        esac
    done <"$1/claim"; } 2>/dev/null && return
    ss_who=unknown ss_blind=yes
    return 1
}

# ss_claim_surely DIR: the same, however long it takes, for whoever is not asked again.
ss_claim_surely() {
    until ss_claim "$1" || [ ! -d "$1" ]; do ss_nap 0.1; done
}

# ss_forget DIR: remove the secrets of a run: whoever has the claim has read them, and nobody else needs them any more.
ss_forget() {
    [ ! -e "$1/secret" ] && [ ! -e "$1/secret-stdin" ] || rm -f "$1/secret" "$1/secret-stdin"
}

# Child ---------------------------------------------------------------------------------------------------------------

# ss_child DIR CHAPERONE BORN: become the program, if the claim can be had. Until then standard error is the chaperone's.
# `command` defines prepare() and program(); a torn one is a syntax error and nothing begins.
ss_child() {
    set -e
    exec 3>>"$1/stdout" 4>>"$1/stderr"
    if [ -f "$1/stdin" ]; then
        exec 5<"$1/stdin"
    elif [ -f "$1/secret-stdin" ]; then
        exec 5<"$1/secret-stdin"
    else
        exec 5</dev/null
    fi
    ss_own=$1
    # shellcheck source=/dev/null
    . "$1/command"
    ss_stat $$
    # One by one: some shells write each line by itself, and tell only of the last one that it could not be written.
    { printf 'pid %s %s\n' $$ "$ss_born" && printf 'chaperone %s %s\n' "$2" "$3" && printf 'boot %s\n' "$SS_BOOT"; } \
        >"$1/.claim.$$" || exit 1
    prepare
    ln "$1/.claim.$$" "$1/claim" || {
        ss_forget "$1"
        exit 0
    }
    set +e
    ss_forget "$1"
    # From here on only setsid writes there, and only of a signal: what was said before (a missing locale) is forgotten.
    true >"$1/.fate.$2"
    printf 'started %s %s %s\n' "${1##*/}" $$ "$ss_born" >>"${1%/*}/journal"
    exec <&5 >&3 2>&4 3>&- 4>&- 5<&-
    program
}

# ss_run COMMAND...: the last step of program(): leave nothing of ours in the environment, and exec.
ss_run() {
    ss_reset=$SS_RESET
    unset $SS_NAMES
    exec $ss_reset "$@"
}

# Chaperone -----------------------------------------------------------------------------------------------------------

# ss_chaperone DIR USER 'TIMEOUT [CAUSE]' ABANDON SIGNAL GRACE: start the program, wait for it, publish how it ended.
# It survives what is meant for the program (a hang-up, a TERM to every process of a host that shuts down), to tell of it.
ss_chaperone() {
    umask 077
    cd / || exit 1
    trap : HUP INT TERM
    ss_dir=$1 ss_name=${1##*/} ss_spool=${1%/*}
    # Of a forked shell, $$ is not the number.
    if [ -e /proc/self/stat ]; then ss_stat self && ss_me=${ss_line%% *}; else ss_me=$$ && ss_stat $$; fi || exit 1
    ss_me_born=$ss_born ss_timer='' ss_lease=''
    if [ -n "$3" ]; then
        eval "$SS_STOP" && ss_timer "$1" "$2" "$3" "$5" "$6" &
        ss_timer=$!
    fi
    if [ -n "$4" ]; then
        eval "$SS_STOP" && ss_lease "$1" "$2" "$4" "$5" "$6" &
        ss_lease=$!
    fi
    ss_fate=$1/.fate.$ss_me
    ss_usage=$1/.usage.$ss_me
    ss_child='eval "$SS_BASE$SS_CHILD" && ss_child "$@"'
    set -- /bin/sh -c "$ss_child" sshsched "$1" "$ss_me" "$ss_me_born"
    case $SS_SETSID in
    wait) set -- setsid -fw "$@" ;;
    plain) set -- setsid "$@" ;;
    esac
    [ -z "$SS_TIME" ] || set -- $SS_TIME -o "$ss_usage" -f %M "$@"
    if [ "$SS_SETSID" = none ]; then
        ss_jobs
        "$@" 2>>"$ss_fate" &
        set +m 2>/dev/null
        ss_code=0 ss_kid=$! ss_kid_born=''
        ss_stat $ss_kid && ss_kid_born=$ss_born
        # A signal ends the wait, and in ksh93 not even with a code that says so.
        while wait $ss_kid; ss_code=$?; ss_alive "$ss_kid" "$ss_kid_born"; do :; done
    else
        # What the shell itself says of a waiter that was killed goes there too.
        { "$@"; ss_code=$?; } 2>>"$ss_fate"
    fi
    ss_uptime
    ss_claim_surely "$ss_dir"
    if [ "$ss_chap" = $ss_me ] && ss_alive "$ss_pid" "$ss_pid_born"; then
        # Who was killed is setsid or time, which waited for it in our stead. How the program ends nobody will know.
        while ss_alive "$ss_pid" "$ss_pid_born"; do ss_nap 1; done
        ss_code=lost
    fi
    [ -z "$ss_timer$ss_lease" ] || kill $ss_timer $ss_lease 2>/dev/null
    [ $ss_code != lost ] || exit 0
    if [ "$ss_chap" != $ss_me ] || [ "$ss_chap_born" != "$ss_me_born" ]; then
        # Not ours: another chaperone won, or a seal, or the child could not even try.
        [ $ss_who != none ] || { mv -f "$ss_fate" "$ss_dir/refused" && printf 'refused %s\n' "$ss_name" >>"$ss_spool/journal"; }
        exit 0
    fi
    ss_how="exit $ss_code" ss_peak='' ss_killed='' ss_said=''
    if [ -n "$SS_TIME" ]; then
        { while read -r ss_next; do
            case $ss_next in
            'Command terminated by signal '*) ss_killed=${ss_next##* } ;;
            *[!0-9]*) ;;
            *) ss_peak=$ss_next ;;
            esac
        done <"$ss_usage"; } 2>/dev/null
    fi
    if [ "$SS_SETSID" = wait ]; then
        { IFS= read -r ss_said <"$ss_fate"; } 2>/dev/null
        case $ss_killed$ss_said in
        # setsid -w names a signal on its standard error and ends with the number, plus 128 for a core dump.
        'setsid: '*) ss_how="signal $((ss_code % 128)) $((ss_code / 128))" ;;
        # setsid or time was killed in the program's stead, at its very end: the code is not the program's.
        ?*) exit 0 ;;
        esac
    elif [ -n "$ss_killed" ]; then
        ss_how="signal $ss_killed 0"
    elif [ -n "$ss_peak" ]; then
        : # time has told the two apart
    elif [ $ss_code -gt 384 ]; then # yash
        ss_how="signal $((ss_code - 384)) 0"
    elif [ $ss_code -gt 256 ]; then # ksh93
        ss_how="signal $((ss_code - 256)) 0"
    elif [ $ss_code -gt 128 ]; then
        ss_how="maybe $ss_code"
    fi
    ss_left=
    kill -s 0 -- "-$ss_pid" 2>/dev/null && ss_left=left
    # On a full disk the outcome waits for space: nobody but us knows it.
    until {
        printf '%s\n' "$ss_how" && printf 'up %s\n' "$ss_up" && printf 'peak %s\n' "$ss_peak" &&
            printf '%s\n' "$ss_left" && times && printf 'end\n'
    } >"$ss_dir/status"; do
        [ -d "$ss_dir" ] || exit 0
        ss_nap 1
    done
    printf 'ended %s\n' "$ss_name" >>"$ss_spool/journal"
}

# ss_herd (DIR USER TIMEOUT ABANDON SIGNAL GRACE)...: a chaperone for each. Those of a pipeline are forked and ignore no
# signal, as they would behind a `&`; its last one may be this shell itself, and its times theirs, so that does nothing.
ss_herd() {
    if [ $# -eq 6 ]; then
        ss_chaperone "$@"
        exit 0
    fi
    ss_line='' ss_at=1
    while [ $ss_at -lt $# ]; do
        ss_line="$ss_line { exec </dev/null >/dev/null; ss_chaperone"
        ss_until=$((ss_at + 6))
        while [ $ss_at -lt $ss_until ]; do
            ss_line="$ss_line \"\${$ss_at}\"" ss_at=$((ss_at + 1))
        done
        ss_line="$ss_line; } |"
    done
    eval "$ss_line :"
}

# Stop ----------------------------------------------------------------------------------------------------------------

# ss_timer DIR USER 'SECONDS [CAUSE]' SIGNAL GRACE: end the program after that long, also while the scheduler is away.
ss_timer() {
    ss_cause=timeout
    case $3 in *' '*) ss_cause=${3#* } ;; esac
    set -- "$1" "$2" "${3%% *}" "$4" "$5"
    trap 'kill $! 2>/dev/null; exit 0' TERM
    sleep "${3%.*}" &
    wait $!
    trap 'exit 0' TERM
    case $3 in *.*) ss_nap "0.${3#*.}" ;; esac
    while [ -d "$1" ] && ss_claim_surely "$1" && [ $ss_who = none ]; do ss_nap 0.1; done
    ss_climb "$1" "$ss_cause" "$4" "$5" "$2"
}

# ss_lease DIR USER SECONDS SIGNAL GRACE: end the program when no scheduler has shown itself for so long.
ss_lease() {
    trap 'kill $! 2>/dev/null; exit 0' TERM
    ss_uptime
    ss_since=${ss_up%.*}
    while [ -d "$1" ]; do
        # It may be being written just now, and empty for a moment: that is no reason to end a program.
        ss_seen='' ss_round=0
        while { read -r ss_seen ss_rest <"${1%/*}/lease"; } 2>/dev/null; [ -z "$ss_seen" ] && [ $ss_round -lt 20 ]; do
            ss_round=$((ss_round + 1))
            ss_nap 0.1
        done
        ss_seen=${ss_seen%.*}
        [ "$ss_seen" -gt "$ss_since" ] 2>/dev/null && ss_since=$ss_seen
        ss_uptime
        ss_wait=$((ss_since + $3 - ${ss_up%.*}))
        [ $ss_wait -gt 0 ] || break
        [ $ss_wait -lt 60 ] || ss_wait=60
        sleep $ss_wait &
        wait $!
    done
    ss_climb "$1" abandoned "$4" "$5" "$2"
}

# ss_as USER COMMAND...: run it as that user, or as ourselves if USER is empty.
ss_as() {
    ss_user=$1
    shift
    if [ -n "$ss_user" ]; then
        sudo -n -H -u "$ss_user" -- /bin/sh -c '"$@"' sshsched "$@" </dev/null
    else
        "$@"
    fi
}

# ss_prey DIR USER: set ss_prey to the processes of this run that live: the program itself, and whoever carries the run's
# spool in its environment, whatever session or group it went to.
ss_prey() {
    ss_prey=
    ss_alive "$ss_pid" "$ss_pid_born" && ss_prey=$ss_pid
    # The name and its value are put together there: sudo puts the words it is given into the environment.
    for ss_file in $(ss_as "$2" /bin/sh -c 'grep -lsF -e "SSHSCHED_SPOOL=$1" /proc/[0-9]*/environ' sshsched "$1"); do
        ss_file=${ss_file%/environ}
        ss_file=${ss_file##*/}
        # Also the program itself, where it could not be looked at just now.
        case " $ss_prey " in *" $ss_file "*) ;; *) ss_prey="$ss_prey $ss_file" ;; esac
    done
    [ -n "$ss_prey" ]
}

# ss_signal SIGNAL USER: to the program's group while its leader is that very process, and to strays one by one.
ss_signal() {
    ss_led=
    ss_alive "$ss_pid" "$ss_pid_born" && ss_led=$ss_pid
    [ -z "$ss_led" ] || ss_as "$2" kill -s "$1" -- "-$ss_led" 2>/dev/null || ss_as "$2" kill -s "$1" "$ss_led" 2>/dev/null
    for ss_one in $ss_prey; do
        [ "$ss_one" != "$ss_led" ] && ss_stat "$ss_one" || continue
        # Some programs take a second TERM for "at once": nobody gets it twice.
        [ -n "$ss_led" ] && [ "$ss_group" = "$ss_led" ] || ss_as "$2" kill -s "$1" "$ss_one" 2>/dev/null
    done
}

# ss_ladder DIR CAUSE SIGNAL GRACE USER: the signal, the grace time, KILL until nobody is left, and say who still is; fails
# if that cannot be written.
ss_ladder() {
    trap : HUP INT TERM
    ss_dir=$1 ss_name=${1##*/} ss_spool=${1%/*}
    ss_claim_surely "$1"
    [ $ss_who = program ] || return 0
    until ss_boot_id || [ ! -d "$1" ]; do ss_nap 0.1; done
    [ "$ss_claim_boot" = "$ss_boot" ] || return 0
    # Linked, so that nobody reads half of it, and whoever comes second changes nothing.
    [ -f "$1/stop" ] || { printf '%s\n' "$2" >"$1/.stop.$$"; ln "$1/.stop.$$" "$1/stop" 2>/dev/null; }
    printf 'stopping %s\n' "$ss_name" >>"$ss_spool/journal"
    ss_uptime
    # Whole seconds are counted: better a little more grace than too little, but none at all where none is given.
    ss_until=$((${ss_up%.*} + ${4%.*})) ss_pause=0.05 ss_round=0
    [ "$4" = 0 ] || ss_until=$((ss_until + 1))
    if ss_prey "$1" "$5"; then
        # Each new link asks again for a stop that is under way.
        [ -e "$1/.sent-$3" ] || { ss_signal "$3" "$5"; true >"$1/.sent-$3"; }
        while
            ss_nap $ss_pause
            case $ss_pause in 0.05) ss_pause=0.1 ;; 0.1) ss_pause=0.2 ;; 0.2) ss_pause=0.5 ;; *) ss_pause=1 ;; esac
            ss_uptime
            [ ${ss_up%.*} -lt $ss_until ] && { ss_alive "$ss_pid" "$ss_pid_born" || ss_prey "$1" "$5"; }
        do :; done
        while ss_prey "$1" "$5" && [ $ss_round -lt 25 ]; do
            ss_signal KILL "$5"
            ss_round=$((ss_round + 1))
            ss_nap 0.1
        done
    fi
    { [ -s "$1/stop" ] || printf '%s\n' "$2" >"$1/stop"; } &&
        { printf 'survivors%s\n' "${ss_prey:+ $ss_prey}" && printf 'end\n'; } >"$1/stopped" || return 1
    printf 'stopped %s\n' "$ss_name" >>"$ss_spool/journal"
}

# ss_climb DIR CAUSE SIGNAL GRACE USER: the same for those whom nobody asks again: on a full disk the words wait for space.
ss_climb() {
    until ss_ladder "$@" || [ ! -d "$1" ]; do ss_nap 2; done
}

# Probe ---------------------------------------------------------------------------------------------------------------

# ss_asked SPOOL NAME SECONDS TEXT: run the text in the home folder, and publish its exit code and the first 4 KiB of what
# it prints, or that it took too long. Nothing of it is left then, nor of us: all that it started is in our group.
ss_asked() {
    umask 077
    cd "${HOME:-/}" || exit 1
    {
        sleep "$3"
        ss_publish "$1" "$2" limit late
    } &
    ss_code=$({
        {
            # Nothing of ours is in its environment, and a signal that is ignored here is not ignored there.
            (
                ss_reset=$SS_RESET
                unset $SS_NAMES
                exec $ss_reset /bin/sh -c "$4" 3>&-
            ) 2>&1
            printf '%s' $? >&3
        } | {
            dd bs=1 count=4096 2>/dev/null >"$1/probes/$2.said" # head would hold back what it has until there is more
            cat >/dev/null
        } 3>&-
    } 3>&1)
    ss_publish "$1" "$2" "$ss_code" new
}

# ss_publish SPOOL NAME CODE WORD: the first answer to a probe counts. All that belongs to it ends with us.
ss_publish() {
    ss_file=$1/probes/$2
    { printf '%s\n' "$3" && cat "$ss_file.said"; } >"$ss_file.$4" 2>/dev/null
    ln "$ss_file.$4" "$ss_file" 2>/dev/null && printf 'probed %s\n' "$2" >>"$1/journal"
    kill -s KILL -- "-$$"
}

# Requests ------------------------------------------------------------------------------------------------------------

ss_nl='
'
# What is for those who are started here, and not for their programs.
SS_NAMES='SS_NAMES SS_BASE SS_CHILD SS_CHAPERONE SS_STOP SS_PROBE SS_SETSID SS_TIME SS_RESET SS_UMASK SS_SPOOL SS_BOOT'
# How a text is written byte for byte; what ss_put has made ready; how far the journal has been read.
SS_WRITE='printf %s' ss_ready=' ' ss_at=0 ss_half=''

# ss_hello ROOT INSTANCE HOST: make the spool's folder, end older shells of the same scheduler and host, tell what there is
# here. When a control shell has said hello, no start that an older one was sent can still be executed.
ss_hello() {
    ss_self
    [ -n "$SS_UMASK" ] || SS_UMASK=$(umask)
    ss_place "$@" || return
    # The claim is a hard link: where there are none, better no run than one that never gets a verdict.
    ss_join "$SS_SPOOL" && true >>journal && { [ -e .link ] || ln "shells/$$" .link; } ||
        { printf '|problem cannot write and link files in %s, where %s KiB are free\n' "$SS_SPOOL" "$(ss_free)" && return; }
    ss_takeover
    [ ! -d probes ] || rm -rf probes # nobody waits for answers that an earlier link asked for
    # Nobody follows the journal now, and whoever comes next looks at every run first. Only this shell keeps it open.
    true >journal && exec 9<journal
    ss_uptime
    printf '%s\n' "$ss_up" >lease
    ss_probe
    SS_BOOT=$ss_boot
    export $SS_NAMES
    printf '|journal 0\n'
    for ss_file in r*-*; do
        [ ! -d "$ss_file" ] || printf '|run %s\n' "$ss_file"
    done
}

# ss_self: set SS_UMASK and ss_ignored to what the kernel tells of this shell, or to nothing.
ss_self() {
    SS_UMASK='' ss_ignored=''
    { while read -r ss_key ss_value; do
        case $ss_key in Umask:) SS_UMASK=$ss_value ;; SigIgn:) ss_ignored=$ss_value && break ;; esac
    done </proc/self/status; } 2>/dev/null
}

# ss_place ROOT INSTANCE HOST: set SS_SPOOL and have that folder, or say what is in the way.
ss_place() {
    umask 077
    ss_machine=
    if [ -s /etc/machine-id ] && [ -r /etc/machine-id ]; then
        { read -r ss_machine </etc/machine-id; } 2>/dev/null || [ -n "$ss_machine" ] || {
            echo '|problem cannot read /etc/machine-id'
            return 1
        }
    else
        ss_machine=$(uname -n)
    fi
    case $ss_machine in *[!0-9A-Za-z]*) ss_machine=$(printf '%s' "$ss_machine" | tr -cd '[:alnum:]') ;; esac
    ss_machine=${ss_machine%"${ss_machine#????????}"}
    SS_SPOOL=${1:-${XDG_STATE_HOME:-$HOME/.local/state}/sshsched}/$2/$3-$ss_machine
    if [ -h "$SS_SPOOL" ]; then
        printf '|problem %s is a symbolic link; remove it or set another spool for this host\n' "$SS_SPOOL"
        return 1
    fi
    { [ -d "$SS_SPOOL/shells" ] || mkdir -p "$SS_SPOOL/shells"; } && cd "$SS_SPOOL" && return
    printf '|problem cannot make the spool %s\n' "$SS_SPOOL"
    return 1
}

# ss_probe [ANEW]: find out and tell what this host can do. With a hundred new hosts at once each fork here counts.
ss_probe() {
    SS_RESET=''
    # Where printf is a program of its own, all could read what is written with it, and 128 KB are too much for it.
    if ! PATH=/ printf '' 2>/dev/null; then
        [ "$(print -rn -- 'a\b' 2>/dev/null)" != 'a\b' ] || SS_WRITE='print -rn --'
    fi
    ss_boot_id
    # Anew where somebody asks because something is wrong.
    { [ $# -eq 0 ] && ss_recall; } || ss_try
    # Some shells ignore a signal for themselves alone: what counts is what a child inherits.
    case $ss_ignored in *[!0]*) ss_ignored=$(sed -n 's/^SigIgn:[[:blank:]]*//p' /proc/self/status 2>/dev/null) ;; esac
    case "$SS_SETSID $ss_ignored" in
    none* | *' ' | *' '*[!0]*) ! env --default-signal true 2>/dev/null || SS_RESET='env --default-signal' ;;
    esac
    ss_uptime
    [ ! -r /proc/self/stat ] || printf '|proc yes\n'
    printf '|%s\n' "spool $SS_SPOOL" "boot $ss_boot" "up $ss_up" "setsid $SS_SETSID" "time $SS_TIME" \
        "ignored $ss_ignored" "reset $SS_RESET"
}

# ss_try: set SS_SETSID and SS_TIME by trying them. Most hosts have both; then the next links of this boot need not try.
ss_try() {
    SS_SETSID=none SS_TIME=''
    # GNU time tells the peak memory; a shell's own word `time` does not.
    ss_time='/usr/bin/time -q -o /dev/null -f %M true'
    if setsid -fw $ss_time 2>/dev/null; then
        SS_SETSID=wait SS_TIME=/usr/bin/time
        { printf '%s\n' "$ss_boot" "$(command -v setsid)" end >.tools; } 2>/dev/null
    else
        if setsid -fw true 2>/dev/null; then SS_SETSID=wait; elif setsid true 2>/dev/null; then SS_SETSID=plain; fi
        if $ss_time 2>/dev/null; then SS_TIME=/usr/bin/time; fi
    fi
}

# ss_recall: do without the trial if one of this boot has found both, and both are still there.
ss_recall() {
    [ -f .tools ] && { { read -r ss_key && read -r ss_value && read -r ss_more; } <.tools; } 2>/dev/null || return 1
    [ "$ss_boot $ss_more" = "$ss_key end" ] && [ -x "$ss_value" ] && [ -x /usr/bin/time ] || return 1
    SS_SETSID=wait SS_TIME=/usr/bin/time
}

# ss_free: print how many KiB the spool's disk has left. Not every shell says why it cannot write.
ss_free() {
    df -Pk . 2>/dev/null | { read -r ss_key && read -r ss_key ss_value ss_more ss_rest && echo "${ss_rest%% *}"; }
}

# ss_examine ROOT INSTANCE HOST: for `hosts check`. Like hello, but it disturbs nobody, and asks more.
ss_examine() {
    ss_self
    ss_place "$@" || return
    ss_probe anew
    printf '|journal 0\n'
    printf '|more %s\n' "system $(uname -s -m)" "user $(id -un)" "free $(ss_free)" "shell $(ls -l /bin/sh 2>/dev/null | sed 's/.*[0-9] //')" \
        "tail $( (tail --version || tail --help) 2>&1 | sed -n 1p)" \
        "kill $(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
            KillUserProcesses 2>/dev/null || grep -hs '^[[:blank:]]*KillUserProcesses' /etc/systemd/logind.conf \
            /etc/systemd/logind.conf.d/*.conf)" \
        "linger $([ -e "/var/lib/systemd/linger/$(id -un)" ] && echo yes)" \
        "type $(stat -f -c %T . 2>/dev/null)" \
        "login ${SHELL:-}" \
        "sudo $(sudo -n true >/dev/null 2>&1 && echo yes)" \
        "shells $(for ss_file in shells/*; do echo "$ss_file"; done | grep -c '[0-9]')" \
        "clock $(date +%s.%N)"
}

# ss_join SPOOL: work in that spool, and leave a name there so that a later link can end this shell.
ss_join() {
    umask 077
    SS_SPOOL=$1
    cd "$1" || return 1
    ss_boot_id
    ss_stat $$
    printf '%s\n' "$ss_born" >"shells/$$"
}

# ss_takeover: end the shells that an earlier link of this scheduler to this host left behind.
ss_takeover() {
    set --
    for ss_file in shells/*; do
        [ "$ss_file" != "shells/$$" ] || continue
        ss_old=${ss_file#shells/} ss_old_born=
        { read -r ss_old_born <"$ss_file"; } 2>/dev/null
        ss_round=0
        while ss_alive "$ss_old" "$ss_old_born" && [ $ss_round -lt 50 ]; do
            kill -s KILL "$ss_old" 2>/dev/null
            ss_round=$((ss_round + 1))
            [ $ss_round -lt 2 ] || ss_nap 0.1
        done
        ss_alive "$ss_old" "$ss_old_born" || set -- "$@" "$ss_file"
    done
    [ $# -lt 9 ] || rm -f "$@" # a few names cost less than a fork
}

# ss_detach COMMAND...: run it in a session of its own, with no signal ignored, and do not wait.
# A plain `&` would have SIGINT and SIGQUIT ignored for ever (POSIX, 2.11). A setsid that is itself a session leader
# forks, which is how the one of busybox is made to. The journal stays here.
ss_detach() {
    case $SS_SETSID in
    wait) setsid -f "$@" ;;
    plain) setsid setsid "$@" ;;
    *)
        ss_jobs
        "$@" &
        set +m 2>/dev/null
        ;;
    esac </dev/null >/dev/null 2>&1 9<&-
}

# ss_seal DIR: make sure that this run's program never starts, or learn that somebody has the claim already.
ss_seal() {
    [ -d "$1" ] || mkdir "$1" || return 1
    ss_claim "$1"
    if [ $ss_who = none ]; then
        printf 'sealed\n' >"$1/.seal.$$" || true >"$1/.seal.$$" || return 1
        ln "$1/.seal.$$" "$1/claim" 2>/dev/null
        ss_claim "$1"
    fi
    [ $ss_who != sealed ] || ss_forget "$1"
    case $ss_who in none | unknown) return 1 ;; esac
}

# ss_rooms NAME...: folders for many runs at the cost of one. What goes wrong is met again, and told, by ss_put.
ss_rooms() {
    for ss_one in "$@"; do
        shift
        [ -e "$ss_one" ] || set -- "$@" "$ss_one"
    done
    [ $# -eq 0 ] || mkdir "$@" 2>/dev/null
}

# ss_put NAME COMMAND [FILE TEXT]...: have all in its spool that the run's program needs, unless it has been started.
ss_put() {
    ss_dir=$SS_SPOOL/$1
    if [ -h "$ss_dir" ]; then
        printf '|refused %s is a symbolic link\n' "$ss_dir"
        return
    fi
    [ -d "$ss_dir" ] || mkdir "$ss_dir" || { printf '|refused cannot make %s\n' "$ss_dir" && return; }
    if [ -e "$ss_dir/claim" ]; then
        printf '|claimed\n'
        return
    fi
    ss_part=$ss_dir/command
    # Sent again. An earlier chaperone may be reading `command` right now: it is replaced, never rewritten.
    [ ! -e "$ss_part" ] || ss_part=$ss_dir/.command.$$
    ss_one=$1 ss_text=$2
    shift 2
    while [ $# -gt 0 ]; do
        { $SS_WRITE "$2" >"$ss_dir/.$1.$$" && mv -f "$ss_dir/.$1.$$" "$ss_dir/$1"; } ||
            { printf '|refused cannot write %s/%s; %s KiB are free\n' "$ss_dir" "$1" "$(ss_free)"; return; }
        shift 2
    done
    { $SS_WRITE "$ss_text" >"$ss_part" && { [ "$ss_part" = "$ss_dir/command" ] || mv -f "$ss_part" "$ss_dir/command"; }; } ||
        { printf '|refused cannot write %s/command; %s KiB are free\n' "$ss_dir" "$(ss_free)"; return; }
    ss_ready="$ss_ready$ss_one "
}

# ss_launch (NAME USER TIMEOUT ABANDON SIGNAL GRACE)...: start the programs of those runs that ss_put has made ready.
ss_launch() {
    ss_left=$#
    while [ $ss_left -gt 0 ]; do
        case $ss_ready in *" $1 "*) set -- "$@" "$SS_SPOOL/$1" "$2" "$3" "$4" "$5" "$6" ;; esac
        shift 6
        ss_left=$((ss_left - 6))
    done
    ss_ready=' '
    [ $# -gt 0 ] || return 0
    while
        # Where a forked shell cannot know its number, or is not to ignore any signal only as a job, each has its own.
        if [ "$SS_SETSID" = none ] || [ ! -e /proc/self/stat ]; then ss_left=6; else ss_left=$#; fi
        [ $ss_left -lt $# ]
    do
        ss_shepherd "$1" "$2" "$3" "$4" "$5" "$6" || break
        shift 6
    done
    if ss_shepherd "$@"; then
        printf '|launched\n'
    else
        printf '|refused cannot start another process\n'
    fi
}

# ss_shepherd (DIR USER TIMEOUT ABANDON SIGNAL GRACE)...: the shell that forks the chaperones of all these, or is the only one.
ss_shepherd() {
    ss_detach /bin/sh -c 'eval "$SS_BASE$SS_CHAPERONE" && ss_herd "$@"' sshsched "$@"
}

# ss_tell FILE WORD: add the lines of a small file to ss_out, each behind the word; set ss_blind if it cannot be read.
# Never trust what is in it.
ss_tell() {
    [ -f "$1" ] || return 0
    ss_count=0
    { while { IFS= read -r ss_next || [ -n "$ss_next" ]; } && [ $ss_count -lt 20 ]; do
        [ ${#ss_next} -lt 1000 ] || ss_next=$(printf '%.1000s' "$ss_next")
        ss_out="$ss_out|$2 $ss_next$ss_nl"
        ss_count=$((ss_count + 1))
    done <"$1"; } 2>/dev/null || ss_blind=yes
}

# ss_report NAME: print what its spool says. Life is looked at before the status is: the other way round, a program that
# ends in between would seem lost. Where anything could not be read nothing is said, and whoever wants to know asks again.
ss_report() {
    ss_dir=$SS_SPOOL/$1 ss_out="|name $1$ss_nl" ss_blind=
    if [ -h "$ss_dir" ] || [ ! -d "$ss_dir" ]; then
        printf '%s|gone\n' "$ss_out"
        return
    fi
    ss_claim "$ss_dir"
    ss_out="$ss_out|claim $ss_who $ss_pid $ss_pid_born$ss_nl"
    if [ "$ss_claim_boot" = "$ss_boot" ]; then
        if ss_alive "$ss_pid" "$ss_pid_born" || ss_alive "$ss_chap" "$ss_chap_born"; then
            ss_out="$ss_out|alive$ss_nl"
        fi
    fi
    ss_tell "$ss_dir/status" status
    [ $ss_who != none ] || ss_tell "$ss_dir/refused" refused
    [ ! -e "$ss_dir/refused" ] || ss_out="$ss_out|refused$ss_nl"
    # That it is there says that somebody asked, though nothing may be in it yet.
    if [ -f "$ss_dir/stop" ] && [ ! -s "$ss_dir/stop" ]; then ss_out="$ss_out|stop$ss_nl"; else ss_tell "$ss_dir/stop" stop; fi
    ss_tell "$ss_dir/stopped" stopped
    [ -n "$ss_blind" ] || printf '%s' "$ss_out"
}

# ss_look NAME...: reports of many runs, and a sign of life from the scheduler.
ss_look() {
    ss_uptime
    printf '%s\n' "$ss_up" >lease
    for ss_one in "$@"; do ss_report "$ss_one"; done
}

# ss_settle NAME: nobody has the claim unless the report says so; if nobody had, it is sealed now.
ss_settle() {
    ss_seal "$SS_SPOOL/$1"
    ss_report "$1"
}

# ss_stop NAME CAUSE SIGNAL GRACE USER: seal what has not started, end what has; the host climbs the ladder alone.
ss_stop() {
    if ss_seal "$SS_SPOOL/$1" && [ $ss_who = program ]; then
        ss_detach /bin/sh -c 'eval "$SS_BASE$SS_STOP" && ss_ladder "$@"' sshsched "$SS_SPOOL/$1" "$2" "$3" "$4" "$5"
    fi
    ss_report "$1"
}

# ss_fetch MOST NAME STDOUT STDERR [NAME STDOUT STDERR]...: reports, then sizes, then from those offsets at most MOST bytes
# of each file, every one behind `=STREAM NAME OFFSET BYTES SIZE`. Statuses are read before sizes: what a program wrote is all there.
ss_fetch() {
    ss_most=$1 ss_wanted='' ss_files=''
    shift
    while [ $# -gt 2 ]; do
        ss_report "$1"
        if [ -s "$1/stdout" ]; then
            ss_wanted="$ss_wanted$2 $1/stdout " ss_files="$ss_files $1/stdout"
        fi
        if [ -s "$1/stderr" ]; then
            ss_wanted="$ss_wanted$3 $1/stderr " ss_files="$ss_files $1/stderr"
        fi
        shift 3
    done
    [ -n "$ss_files" ] || return 0
    set -- $(wc -c $ss_files 2>/dev/null)
    while [ $# -gt 1 ] && [ -n "$ss_wanted" ]; do
        ss_from=${ss_wanted%% *} ss_wanted=${ss_wanted#* }
        ss_file=${ss_wanted%% *} ss_wanted=${ss_wanted#* }
        [ "$ss_file" = "$2" ] || continue # it has gone since
        ss_piece "$ss_file" "$ss_from" "$1"
        shift 2
    done
}

# ss_piece FILE FROM SIZE: print the head line and the bytes.
ss_piece() {
    ss_bytes=$(($3 - $2))
    [ $ss_bytes -le "$ss_most" ] || ss_bytes=$ss_most
    [ $ss_bytes -ge 0 ] || ss_bytes=0
    printf '=%s %s %s %s %s\n' "${1#*/}" "${1%/*}" "$2" $ss_bytes "$3"
    if [ $ss_bytes -eq 0 ] || { [ "$2 $3" = "0 $ss_bytes" ] && [ $ss_bytes -lt 200 ] && ss_brief "$1" $ss_bytes; }; then
        :
    elif [ "$2" -eq 0 ]; then
        head -c $ss_bytes "$1"
    else
        tail -c "+$(($2 + 1))" "$1" | head -c $ss_bytes
    fi
}

# ss_brief FILE BYTES: print a small file without a fork, or fail if the shell cannot read it byte for byte.
ss_brief() {
    ss_said=''
    { while IFS= read -r ss_next; do
        ss_said=$ss_said$ss_next$ss_nl
    done <"$1"; } 2>/dev/null
    ss_said=$ss_said$ss_next
    [ ${#ss_said} -eq "$2" ] && $SS_WRITE "$ss_said"
}

# ss_clean NAME...: remove these spools. They are moved away first: a late child must not find half of one.
ss_clean() {
    [ ! -h .gone ] || rm -f .gone
    [ -d .gone ] || mkdir .gone
    for ss_one in "$@"; do
        shift
        [ ! -e "$ss_one" ] && [ ! -h "$ss_one" ] || set -- "$@" "$ss_one"
    done
    [ $# -eq 0 ] || mv -f "$@" .gone/
    rm -rf .gone/* 2>/dev/null # not every rm quotes the names that it complains of
    for ss_one in "$@"; do
        [ ! -e "$ss_one" ] || printf '|left %s\n' "$ss_one"
    done
}

# ss_ask NAME SECONDS TEXT: have a probe's text run apart from everything. The journal says when probes/NAME has its answer.
ss_ask() {
    { [ -d probes ] || mkdir probes; } &&
        ss_detach /bin/sh -c 'eval "$SS_BASE$SS_PROBE" && ss_asked "$@"' sshsched "$SS_SPOOL" "$@" ||
        printf '|refused cannot start another process\n'
}

# ss_answer NAME: print the answer to a probe, if there is one, and forget it.
ss_answer() {
    ss_out=
    ss_tell "probes/$1" probed
    printf '%s' "$ss_out"
    [ -z "$ss_out" ] || rm -f "probes/$1" "probes/$1.said" "probes/$1.new" "probes/$1.late"
}

# ss_follow BYTE: become the tail of the journal from that byte on; under this shell's number, so that it can be found.
ss_follow() {
    exec tail -c "+$1" -f journal
}

# ss_news: the whole lines that have come to the journal since the last time, and how many bytes all of them are: for a
# link that does not follow it yet, or may not.
ss_news() {
    while IFS= read -r ss_next; do
        ss_next=$ss_half$ss_next ss_half=
        ss_at=$((ss_at + ${#ss_next} + 1))
        printf '|%.200s\n' "$ss_next"
    done <&9
    ss_half=$ss_half$ss_next
    printf '|at %s\n' $ss_at
}
