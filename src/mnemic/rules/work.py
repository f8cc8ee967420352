"""Work and study."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnemic.rules import phrases
from mnemic.rules.said import Said, end_of, pattern
from mnemic.statements import Statement

_JOBS = (
    r"(?:engineer|developer|programmer|architect|designer|nurse|doctor|physician|surgeon|dentist"
    r"|teacher|professor|lecturer|tutor|researcher|scientist|biologist|chemist|physicist"
    r"|mathematician|statistician|economist|analyst|accountant"
    r"|auditor|lawyer|attorney|paralegal|solicitor|barrister|judge|journalist|reporter|editor"
    r"|writer|copywriter|author|novelist|poet|screenwriter|translator|interpreter|librarian"
    r"|archivist|curator|artist|painter|sculptor|illustrator"
    r"|photographer|videographer|filmmaker|director|producer|actor|actress|musician|singer|pianist"
    r"|guitarist|drummer|violinist|composer|dj|dancer|choreographer|chef|cook|baker|barista"
    r"|bartender|waiter|waitress|server|butcher|farmer"
    r"|gardener|florist|landscaper|carpenter|electrician|plumber|mechanic|welder|machinist"
    r"|technician|technologist|contractor|builder|mason|roofer|driver|pilot|flight attendant"
    r"|sailor|captain|soldier|marine|officer|policeman"
    r"|policewoman|cop|detective|firefighter|paramedic|emt|pharmacist|therapist|physiotherapist"
    r"|psychologist|psychiatrist|counsell?or|social worker|caregiver|nanny|babysitter|midwife"
    r"|veterinarian|vet|zookeeper|trainer|coach|instructor"
    r"|consultant|advis[eo]r|planner|manager|supervisor|administrator|assistant|secretary"
    r"|receptionist|clerk|cashier|salesperson|salesman|saleswoman|sales rep|representative|agent"
    r"|broker|realtor|banker|trader|recruiter|marketer"
    r"|entrepreneur|founder|co-?founder|ceo|cto|cfo|executive|intern|apprentice|freelancer|plumber"
    r"|janitor|cleaner|housekeeper|tailor|seamstress|hairdresser|hairstylist|barber|stylist|makeup "
    r"artist|beautician|jeweller|jeweler|potter"
    r"|blogger|youtuber|streamer|podcaster|animator|geologist|astronomer|astronaut|meteorologist"
    r"|archaeologist|historian|anthropologist|sociologist|philosopher|linguist|ecologist|botanist"
    r"|zoologist|oceanographer|geographer|surveyor"
    r"|pastor|priest|rabbi|imam|monk|nun|missionary|diplomat|politician|mayor|principal|dean"
    r"|custodian|courier|postman|mailman|trucker|truck driver|bus driver|taxi driver|optometrist"
    r"|optician|radiologist|cardiologist|neurologist|pediatrician|oncologist"
    r"|dermatologist|anesthesiologist|nutritionist|dietitian|dietician|data entry|postdoc|adjunct"
    r"|specialist|coordinator|strategist|stay-at-home (?:mom|dad|mum|parent)|homemaker|bookkeeper"
    r"|actuary|underwriter|lifeguard|security guard|model|merchandiser|wedding planner|tour guide"
    r"|locksmith|blacksmith|goldsmith|glazier|upholsterer|cobbler|watchmaker|bookbinder|tuner|usher|conductor|porter"
    r"|ranger|forester|miner"
    r"|undertaker|stuntman|referee|umpire|valet|concierge|caretaker|worker|operator|dispatcher|inspector|steward"
    r"|stewardess|firewoman"
    r"|lumberjack|fisherman|brewer|winemaker|sommelier|beekeeper|paramedic|tester)"
)
_JOB = re.compile(
    rf"(?P<det>an?\s+)?(?P<job>(?:(?!(?:not|big|huge|good|great|bad|terrible|former|retired"
    rf"|ex|aspiring|future|wannabe|hobby|amateur|better|fan|bit|little|lot|perfect|born|natural"
    rf"|decent|lousy|horrible|funny|lazy|silly|crazy|pretend|keen|avid|fellow|happy|proud|home|backseat"
    rf"|role)\b)[a-z][\w/&'-]*\s+){{0,4}}?{_JOBS}(?:\s+{_JOBS}){{0,2}})(?![\w'-])(?!\s+(?:manager|director|professor"
    rf"|editor|coach)\b)(?!\s+(?:at heart|of (?:my|this|habit)"
    rf"|in training|myself|fan|wannabe|type|person|at my|by heart))"
)
_FORMER = re.compile(
    rf"(?:an?\s+)?(?:(?:former|retired|ex)\s+|ex-)(?P<job>(?:[a-z][\w/&'-]*\s+){{0,3}}?{_JOBS})\b(?!-)"
)


def is_a(one: Said, at: int) -> Iterator[Statement]:
    """ "I'm a nurse at Saint Mary's": the job, and for whom."""
    while one.low[at : at + 1] == " ":
        at += 1
    yield from _student(one, at)
    if (former := _FORMER.match(one.low, at, one.clause.stop)) is not None and not one.no:
        yield one.say("works_as", one.clause.text[former.start("job") : former.end("job")], holds=False, confidence=0.8)
        return
    match = _JOB.match(one.low, at, one.clause.stop)
    if (
        match is None
        or one.never
        or re.search(
            r"\b(?:who|and|or|like|for|of|from|with|than|to|in|at|on|as)\b",
            match["job"].rsplit(" ", 1)[0] if " " in match["job"] else "",
        )
    ):
        return
    value = one.clause.text[match.start("job") : match.end("job")]
    if match["det"] is None and at == one.at:
        return
    if one.no and " " in value:
        return  # "not a successful musician" is one yet
    article = match["det"] or _article(one, at)
    of = phrases.shown(one.subject)
    since, precision = one.since()
    yield one.say(
        "works_as",
        value,
        holds=not one.ended,
        since=None if one.ended else since,
        precision=None if one.ended else precision,
        text=f"{of} {'does not work' if one.ended else 'works'} as {article.strip()} {value}".replace("  ", " "),
    )
    if (
        (where := re.compile(r"\s+(?:here )?(?:at|for|with)\s+(?=\S)").match(one.low, match.end(), one.clause.stop))
        is not None
        and (firm := phrases.employer(one.clause, where.end())) is not None
        and not one.no
    ):
        yield one.say(
            "works_at", one.clause.text[firm[0] : firm[1]], holds=not one.ended, since=since, precision=precision
        )


def _article(one: Said, at: int) -> str:
    """The article before a job that words stand before: "a 44-year-old technologist"."""
    article = re.compile(r"an? ").match(one.low, one.at, at)
    return article[0] if article else ""


_STUDENT = re.compile(
    r"(?:an?\s+)?(?P<adj>(?:(?:full-time|part-time|first[- ]year|second[- ]year|third[- ]year"
    r"|fourth[- ]year|final[- ]year|last[- ]year|graduate|grad|undergraduate|phd|ph\.d\.|master's"
    r"|masters|doctoral|college|university|high school|international|exchange|freshman|sophomore"
    r"|junior|senior|current|1st year|2nd year|3rd year|postgraduate|year"
    r"|\d\w*)\s+)*)(?P<field>(?:[a-z-]+\s+){0,2}?)(?P<head>student|major|undergrad)\b(?!\s+(?:of "
    r"life|loan|debt|who|athlete|driver|pilot|teacher))"
)


def _student(one: Said, at: int) -> Iterator[Statement]:
    match = _STUDENT.match(one.low, at, one.clause.stop)
    if match is None or one.never or one.form not in ("be",):
        return
    field = match["field"].strip()
    if (
        field
        and field
        not in (
            "medical",
            "dental",
            "legal",
            "good",
            "bad",
            "straight-a",
            "great",
            "hard-working",
            "fellow",
            "former",
            "new",
            "poor",
            "broke",
            "busy",
            "mature",
            "visual",
            "diligent",
            "dedicated",
            "lifelong",
            "struggling",
            "motivated",
        )
        and not re.search(r"\b(?:good|former|new|a|fast|slow|very|the|of)\b", field)
    ):
        yield one.say(
            "studies", one.clause.text[match.start("field") : match.start("field") + len(field)], holds=not one.ended
        )
    end = match.end()
    if (
        (studied := re.compile(r"\s+(?:in|of|studying)\s+(?=\S)").match(one.low, end, one.clause.stop)) is not None
        and match["head"] != "major"
        and (found := _field(one, studied.end())) is not None
    ):
        yield one.say("studies", one.clause.text[found[0] : found[1]], holds=not one.ended)
        end = found[1]
    where = re.compile(r"\s+(?:here )?at\s+(?=\S)").match(one.low, end, one.clause.stop)
    if where is not None and (school := phrases.employer(one.clause, where.end())) is not None:
        yield one.say("studies_at", one.clause.text[school[0] : school[1]], holds=not one.ended)


_FIELD = re.compile(
    r"(?P<field>(?!(?:for|hard|how|what|to|this|that|the|these|my|abroad|all|on|in|at|with|a|an|it"
    r"|here|there|more|some|up|every|together|online|and|or|different|everything|from|late|again"
    r"|now|by|about|as|so|your|several|various|both|after|before|during|while|two|three|alone|full"
    r"|part|many|other|harder|whether|their|his|her|our|each)\b)[a-zà-öø-ÿ][\w&-]*(?:\s+(?:and\s+"
    r"|of\s+|&\s+)?(?!(?:at|in|for|with|from|this|because|so|right|but|now|since|while|to|on|and"
    r"|of|part|full|as|last|next|online|abroad|through|i|is|was|by|more|every|currently|who|when"
    r"|which|after|before|here|there|it|day|again|together|via|using|during|under|hard|the|my|we"
    r"|a)\b)[a-zà-öø-ÿ][\w&-]*){0,3})"
)


def _field(one: Said, at: int) -> tuple[int, int] | None:
    match = _FIELD.match(one.low, at, one.clause.stop)
    if match is None:
        return None
    end = min([match.end(), *(t.start for t in one.clause.times if t.start > at)])
    end = at + len(one.low[at:end].rstrip(" .,"))
    if one.low[end - 4 : end] in (" and", "d of"):
        end -= 4
    return (at, end) if end > at + 1 else None


def studies(one: Said) -> Iterator[Statement]:
    """ "I study law at Coimbra", "I'm majoring in physics"."""
    if one.never or one.third_mismatch(one.verb):
        return
    if (
        not (one.form in ("", "do") and one.verb in ("study", "studies", "major", "majors"))
        and not (one.form in ("be", "have been") and one.verb in ("studying", "majoring"))
        and not (one.form == "used" and one.verb in ("study", "major"))
    ):
        return
    at = one.rest
    if one.verb.startswith("major"):
        match = one.after(pattern(r" in (?=\S)"))
        if match is None:
            return
        at = match.end()
    field = _field(one, at + (one.low[at : at + 1] == " "))
    end = at if field is None else field[1]
    where = re.compile(r"\s+at\s+(?=\S)").match(one.low, end, one.clause.stop)
    school = phrases.employer(one.clause, where.end()) if where else None
    degree = (
        school is not None
        or one.verb.startswith("major")
        or (field is not None and _SUBJECTS.search(one.low[field[0] : field[1]]))
    )
    if field is not None and degree:
        since, precision = one.since()
        yield one.say(
            "studies",
            one.clause.text[field[0] : field[1]],
            holds=not one.ended,
            since=None if one.ended else since,
            precision=None if one.ended else precision,
        )
    if school is not None:
        yield one.say("studies_at", one.clause.text[school[0] : school[1]], holds=not one.ended)


_SUBJECTS = re.compile(
    r"\b(?:\w+ology|\w+onomics|\w*physics|\w*chemistry|\w*biology|law|medicine|nursing|history"
    r"|philosophy|math\w*|statistics|\w* ?science|\w* ?sciences|\w*engineering|\w* ?studies"
    r"|architecture|design|art|arts|music|literature|languages?|linguistics|english|french|german"
    r"|spanish"
    r"|italian|portuguese|japanese|chinese|mandarin|korean|russian|arabic|latin|accounting|finance"
    r"|business|marketing|management|education|journalism|communications?|politics|geography"
    r"|theatre|theater|film|dance|agriculture|dentistry|pharmacy|astronomy|classics|theology"
    r"|pedagogy|informatics|computing|translation|cybersecurity|robotics|fashion|photography"
    r"|animation|counseling|criminology|social work)\b"
)
_DEGREE = pattern(
    r" (?:a|an|my) (?:(?:second|online|part-time|full-time|university|college|professional) "
    r")*(?:degree|bachelor's|bachelors|bachelor|master's|masters|master|phd|ph\.d\.?|doctorate|mba|ba"
    r"|bsc|ma|msc|diploma|minor|major)(?: degree| program| course)?(?: in (?=\S))?"
)


def pursues(one: Said) -> Iterator[Statement]:
    """ "I'm doing a PhD in chemistry at Coimbra"."""
    if one.no or one.never or one.form not in ("be", "have been"):
        return
    match = one.after(_DEGREE)
    if match is None:
        return
    end = match.end()
    if match[0].rstrip().endswith(" in") and (field := _field(one, end)) is not None:
        yield one.say("studies", one.clause.text[field[0] : field[1]])
        end = field[1]
    if (where := re.compile(r"\s+(?:at|from)\s+(?=\S)").match(one.low, end, one.clause.stop)) is not None and (
        school := phrases.employer(one.clause, where.end())
    ):
        yield one.say("studies_at", one.clause.text[school[0] : school[1]])


_SCHOOL = re.compile(
    r"(?:the )?[A-ZÀ-Þ][\w'’&.-]*(?: (?:of|at|for|the|and|de|in) [A-ZÀ-Þ][\w'’&.-]*| [A-ZÀ-Þ][\w'’&.-]*)*"
)


def attends(one: Said) -> Iterator[Statement]:
    if one.never or one.third_mismatch(one.verb):
        return
    verb, form = one.verb, one.form
    now = (verb in ("attend", "attends", "go", "goes") and form in ("", "do")) or (
        verb in ("attending", "enrolled") and form in ("be", "have been")
    )
    began = verb in ("enrolled", "enroled") and form in ("", "have") and not one.no
    if not now and not began:
        return
    match = one.after(pattern(r"(?: to| at| in)? (?=\S)"))
    if match is None:
        return
    found = _SCHOOL.match(one.clause.text, match.end(), one.clause.stop)
    if found is None or not re.search(
        r"University|College|Institute|School|Academy|Polytechnic|Conservatory|MIT\b|UCLA|NYU|Harvard"
        r"|Stanford|Oxford|Cambridge|Yale|Princeton",
        found[0],
    ):
        return
    told = one.told()
    since = told.first if began and told else None
    yield one.say(
        "studies_at",
        one.clause.text[found.start() : found.end()].rstrip(".'’"),
        holds=not one.ended,
        since=since,
        precision=told.precision if since and told else None,
    )


_AS = pattern(r"(?: (?:remotely|full[- ]time|part[- ]time|here|there|freelance|mostly|mainly|again))* as (?=\S)")
_AT_AS = re.compile(r"\s+(?:at|for|in)\s+[^,.;!?]{2,40}?\s+as\s+(?=\S)")
_AT = pattern(
    r"(?: (?:remotely|full[- ]time|part[- ]time|here|there|over|in [a-z]+(?: [a-z]+)?|as (?:an? "
    r")?[\w -]{3,40}?|freelance|nights|weekends|hard))* (?:at|for|with) (?=\S)"
)


def works(one: Said) -> Iterator[Statement]:
    """ "I work at Acme", "I've been working as a nurse since 2019", "I used to work for Acme"."""
    if one.never or one.third_mismatch(one.verb):
        return
    form, verb = one.form, one.verb
    now = (
        (form in ("", "do") and verb in ("work", "works"))
        or (form in ("be", "have been") and verb in ("working", "employed"))
        or (form == "have" and verb == "worked")
    )
    past = (
        (form == "used" and verb == "work")
        or (form == "was" and verb in ("working", "employed"))
        or (form == "" and verb == "worked")
    )
    if not now and not past:
        return
    since, precision = one.since()
    if form == "have" and (one.no or not since):
        return
    until = None
    if past:
        until, precision = one.until()
        since = None
    holds = now and not one.no
    if not holds:
        since = None
        precision = precision if until else None
    sure = 0.9 if now or form == "used" else 0.75
    match = one.after(_AS) or one.after(_AT_AS)
    if match is not None and (job := _JOB.match(one.low, match.end(), one.clause.stop)) is not None:
        value = one.clause.text[job.start("job") : job.end("job")]
        shown = one.clause.text[job.start() : job.end("job")]
        of = phrases.shown(one.subject)
        yield one.say(
            "works_as",
            value,
            holds=holds,
            since=since,
            until=until,
            precision=precision,
            confidence=sure,
            text=f"{of} {'works' if holds else 'does not work'} as {shown}",
        )
    match = one.after(pattern(r" (?:at|for) (?=\S)")) or one.after(_AT)
    if match is not None and one.low[match.start() : match.end()].rstrip().endswith("with") and verb != "employed":
        return
    if match is None and verb == "employed":
        match = one.after(pattern(r" by (?=\S)"))
    if match is not None and (firm := phrases.employer(one.clause, match.end())) is not None:
        value = one.words(firm)
        if (
            past
            and form == ""
            and not re.match(
                r"\s+(?:for|until|till|from|as|before|in|back|when|and|,|\.)|\s*[.,]|\s*$",
                one.low[firm[1] : one.clause.stop],
            )
        ):
            return
        yield one.say("works_at", value, holds=holds, since=since, until=until, precision=precision, confidence=sure)
        other = re.compile(r",? not (?:at |for )?(?=\S)").match(one.low, firm[1], one.clause.stop)
        if holds and other is not None and (old := phrases.employer(one.clause, other.end())) is not None:
            yield one.say("works_at", one.words(old), holds=False, confidence=0.8)


def starts_work(one: Said) -> Iterator[Statement]:
    """ "I started at Acme last week", "I joined Acme as a designer", "I got a job at Acme", "I got promoted to …"."""
    if one.no or one.never or one.form not in ("", "have", "was", "be") or one.we:
        return
    verb, clause, low = one.verb, one.clause, one.low
    told = one.told()
    future = told is not None and told.first > clause.turn.time
    if (one.form == "be" and verb not in ("starting", "joining")) or (one.form == "be" and not future):
        return
    if one.form == "was" and verb not in ("hired", "promoted"):
        return
    since, precision = (told.first, told.precision) if told else (None, None)
    at = one.rest
    if verb in ("started", "starting", "began", "got", "landed", "accepted", "took", "found"):
        match = one.after(
            re.compile(
                r"\s+(?:(?:a|an|my|the)\s+(?:(?:new|first|dream|part-time|full-time|great|summer|permanent"
                r"|amazing|remote|second|good)\s+)*(?:job|position|role|gig|internship)|working|work|hired"
                r"|promoted|a\s+promotion)\b|(?=\s+(?:at|as)\s)"
            )
        )
        if match is None or (verb in ("got", "took", "found", "landed", "accepted") and match.end() == one.rest):
            return
        at = match.end()
    if (match := re.compile(r"\s+(?:to|as)\s+(?:the\s+)?(?=\S)").match(low, at, clause.stop)) is not None and (
        job := _JOB.match(low, match.end(), clause.stop)
    ):
        shown = clause.text[job.start() : job.end("job")]
        yield one.say(
            "works_as",
            clause.text[job.start("job") : job.end("job")],
            since=since,
            precision=precision,
            text=f"{phrases.shown(one.subject)} works as {shown}",
            confidence=0.85,
        )
        at = job.end()
    if verb in ("joined", "joining"):
        match = re.compile(r"\s+(?=\S)").match(low, at, clause.stop)
        if match and not re.search(
            r"\b(?:as (?:an? |the )|full[- ]time|job|work|company|startup|firm|intern)\b",
            low[match.end() : clause.stop],
        ):
            return
        if match and not clause.text[match.end() : match.end() + 1].isupper():
            return
    else:
        match = re.compile(r"\s+(?:at|for|with|by)\s+(?=\S)").match(low, at, clause.stop)
    if match is not None and (firm := phrases.employer(clause, match.end())) is not None:
        yield one.say("works_at", one.words(firm), since=since, precision=precision, confidence=0.85)


_MY_JOB = re.compile(
    r"\s+(?:my|the|that|his|her)\s+(?:(?:full-time|part-time|old|day|current|corporate|teaching"
    r"|boring|9-5|nine-to-five|previous)\s+)*(?P<what>job|position|role)\b(?P<at>\s+(?:at|with"
    r"|as)\s+(?=\S))?"
)
_FROM_JOB = re.compile(r"\s+(?:from|by|at)\s+(?:my\s+job\s+(?:at|with)\s+)?(?=\S)")


def leaves_work(one: Said) -> Iterator[Statement]:
    """ "I quit my job at Acme", "I got laid off from Acme", "I retired last year"."""
    if one.no or one.never or one.form not in ("", "have", "was", "have been") or one.we:
        return
    verb, clause, at = one.verb, one.clause, one.rest
    if one.form in ("was", "have been") and verb not in ("fired", "laid", "let"):
        return
    if verb in ("got", "was") or one.form == "":
        if verb == "got":
            got = one.after(re.compile(r"\s+(?:(?:just|recently)\s+)?(fired|laid off|let go)\b"))
            if got is None:
                return
            verb, at = "laid", got.end()
        elif verb in ("fired", "laid", "let"):
            return
    elif verb in ("laid", "let"):
        off = one.after(re.compile(r"\s+(?:off|go)\b"))
        if off is None:
            return
        at = off.end()
    told = one.told()
    until, precision = (told.first, told.precision) if told else (None, None)
    value, firm = "", None
    job = _MY_JOB.match(one.low, at, clause.stop)
    if job is not None and verb in ("quit", "left", "lost", "resigned"):
        value = job["what"]
        if job["at"]:
            firm = phrases.employer(clause, job.end())
    elif verb in ("resigned", "fired", "laid", "retired") and (match := _FROM_JOB.match(one.low, at, clause.stop)):
        job = _MY_JOB.match(one.low, match.end() - 1, clause.stop)
        if job is not None:
            value = job["what"]
        firm = phrases.employer(clause, job.end() if job and job["at"] else match.end())
    elif verb in ("fired", "laid", "retired", "resigned"):
        if verb == "retired" and re.match(r"\s+(?:to|for|the|my|that|it)\b", one.low[at : clause.stop]):
            return
        value = "job"
    elif verb in ("left", "quit") and (match := re.compile(r"\s+(?=[A-ZÀ-Þ])").match(clause.text, at, clause.stop)):
        firm = phrases.employer(clause, match.end())
        if firm is not None and not _AFTER_FIRM.match(one.low, firm[1], clause.stop):
            return
    if firm is not None:
        yield one.say("works_at", one.words(firm), holds=False, until=until, precision=precision)
    elif value:
        text = f"{phrases.shown(one.subject)} {one.words((one.at, end_of(one)))}"
        if one.form in ("was", "have been"):
            text = f"{phrases.shown(one.subject)} was {one.words((one.at, end_of(one)))}"
        yield one.say("works_at", value, holds=False, until=until, precision=precision, text=text, data={"any": True})


_AFTER_FIRM = re.compile(
    r"\s+(?:after (?:\w+ ){1,3}(?:years?|months?)|to (?:join|start|become|work|pursue|found|focus "
    r"on)|because|since (?:the|my)|for (?:a|another) (?:new |better )?(?:job|role|position|startup"
    r"|company|competitor))\b"
)


def has_job(one: Said) -> Iterator[Statement]:
    if (one.form == "be" or (one.form == "have been" and one.since()[0] is not None)) and not one.we:
        yield from is_a(one, one.at)


def had_job(one: Said) -> Iterator[Statement]:
    """ "I used to be a teacher"."""
    if one.form != "used" or one.no or one.never or one.we:
        return
    match = _JOB.match(one.low, one.rest + 1, one.clause.stop)
    if match is not None and match["det"]:
        value = one.clause.text[match.start("job") : match.end("job")]
        text = f"{phrases.shown(one.subject)} used to be {match['det'].strip()} {value}"
        yield one.say("works_as", value, holds=False, text=text)


def drops_out(one: Said) -> Iterator[Statement]:
    """ "I dropped out of Harvard"."""
    match = one.after(re.compile(r"\s+out of\s+(?=\S)"))
    if match is None or one.form not in ("", "have") or one.no or one.never or one.we:
        return
    if (school := phrases.employer(one.clause, match.end())) is not None and one.clause.text[school[0]].isupper():
        told = one.told()
        until, precision = (told.first, told.precision) if told else (None, None)
        value = one.clause.text[school[0] : school[1]]
        yield one.say("studies_at", value, holds=False, until=until, precision=precision)
