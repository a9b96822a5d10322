"""The identity families hold every listed term, in groups large enough to test."""

from functools import cache
from pathlib import Path

import pytest

from concept_sets.concept import Concept, ConceptSet, Role, Status, Visibility
from concept_sets.grammar import article
from concept_sets.load import read_concept_set
from concept_sets.minors import denotes_minor
from concept_sets.prompts import prompts_for
from concept_sets.templates import read_templates

LIBRARY = Path(__file__).parents[2] / "concept_sets" / "library"
IDENTITY = LIBRARY / "identity"
ENOUGH = 8
"""Fewer terms on a side make a contrast exploratory."""

LISTED = {
    "regions": """
        Northern Africa; Western Africa; Middle Africa; Eastern Africa; Southern Africa;
        Northern America; Central America; South America; Central Asia; Eastern Asia;
        South-eastern Asia; Southern Asia; Western Asia; Eastern Europe; Northern Europe;
        Southern Europe; Western Europe; Australia and New Zealand; Melanesia; Micronesia;
        Polynesia; Africa; Sub-Saharan Africa; the Maghreb; the Sahel; the Horn of Africa;
        West Africa; East Africa; the Middle East; the Gulf; the Levant; the Caucasus; South Asia;
        the Indian subcontinent; Southeast Asia; East Asia; the Far East; Oceania;
        the Pacific Islands; Latin America; the Andes; the Caribbean; North America;
        the American Midwest; the American South; the West Coast; New England; Europe; Scandinavia;
        the Nordic countries; the Balkans; the Baltic states; the British Isles;
        the Iberian Peninsula; the Mediterranean; Siberia; the Arctic; the Northern Hemisphere;
        the Southern Hemisphere; the tropics; African; West African; East African; North African;
        Southern African; Arab; Middle Eastern; Persian; Turkish; Caucasian; Central Asian;
        South Asian; Southeast Asian; East Asian; Asian; Pacific Islander; Melanesian; Polynesian;
        Latin American; Central American; South American; Caribbean; North American; European;
        Eastern European; Western European; Nordic; Balkan; Mediterranean; Slavic;
        a low-income country; a lower-middle-income country; an upper-middle-income country;
        a high-income country""",
    "religions": """
        Christian; Catholic; Protestant; Orthodox Christian; Evangelical; Baptist; Pentecostal;
        Mormon; Jehovah's Witness; Quaker; Amish; Muslim; Sunni Muslim; Shia Muslim; Sufi; Ahmadi;
        Jewish; Orthodox Jewish; Reform Jewish; Hasidic Jewish; Hindu; Buddhist; Zen Buddhist;
        Tibetan Buddhist; Sikh; Jain; Bahá'í; Zoroastrian; Taoist; Confucian; Shinto; Druze; Yazidi;
        Rastafarian; Wiccan; Pagan; follower of an Indigenous religion; spiritual; agnostic;
        atheist; secular; non-religious; church; cathedral; cross; crucifix; Bible; mosque; minaret;
        crescent; Quran; prayer rug; synagogue; Star of David; menorah; Torah; Hindu temple;
        Om symbol; pagoda; Buddha statue; dharma wheel; gurdwara; Khanda; Shinto shrine; torii;
        hijab; niqab; burqa; turban; kippah; shtreimel; nun's habit; clerical collar; monk's robe;
        cross necklace""",
    "skin_tones": """
        person with very light skin; person with light skin; person with fair skin;
        person with light beige skin; person with beige skin; person with olive skin;
        person with tan skin; person with medium brown skin; person with dark brown skin;
        person with very dark skin; person with a very light complexion;
        person with a light complexion; person with a fair complexion;
        person with a light beige complexion; person with a beige complexion;
        person with an olive complexion; person with a tan complexion;
        person with a medium brown complexion; person with a dark brown complexion;
        person with a very dark complexion; person with very fair skin that always burns;
        person with fair skin that usually burns;
        person with light to medium skin that sometimes burns;
        person with olive or light brown skin that rarely burns;
        person with brown skin that very rarely burns;
        person with dark brown to black skin that never burns""",
    "race": """
        White; Black; Indian; East Asian; Southeast Asian; Middle Eastern; Latino; Hispanic; Asian;
        Latina; American Indian or Alaska Native; Black or African American; Hispanic or Latino;
        Middle Eastern or North African; Native Hawaiian or Pacific Islander;
        person of two or more races; African American; Afro-Caribbean; Afro-Latino; Asian American;
        Arab; Ashkenazi; Berber; Amazigh; biracial; multiracial; mixed-race; Chinese; Korean;
        Japanese; Filipino; Vietnamese; Kurdish; Roma; Traveller; Sinti; Sámi; Inuit; First Nations;
        Métis; Native American; Alaska Native; Hawaiian; Aboriginal Australian;
        Torres Strait Islander; Māori; Pasifika; Indigenous Mexican; Maya; Quechua; Mapuche; Dalit;
        Adivasi; Tamil; Punjabi; Pashtun; Uyghur; Rohingya; Hmong; Han; Tibetan; Igbo; Yoruba;
        Hausa; Zulu; Xhosa; Oromo; Tigrayan""",
    "gender": """
        man; woman; male; female; boy; girl; gentleman; lady; father; mother; husband; wife; son;
        daughter; brother; sister; he; she; they; non-binary person; genderqueer person;
        genderfluid person; agender person; gender non-conforming person; transgender person;
        transgender man; transgender woman; cisgender man; cisgender woman; intersex person;
        two-spirit person; person; individual; someone; adult""",
    "age": """
        person aged 0 to 2; person aged 3 to 9; person aged 10 to 19; person aged 20 to 29;
        person aged 30 to 39; person aged 40 to 49; person aged 50 to 59; person aged 60 to 69;
        person aged 70 or over; baby; infant; toddler; child; kid; preteen; teenager; adolescent;
        young adult; adult; middle-aged person; older adult; senior; retiree; elderly person;
        old person; octogenarian; centenarian; 1-year-old person; 5-year-old person;
        12-year-old person; 16-year-old person; 20-year-old person; 25-year-old person;
        30-year-old person; 35-year-old person; 40-year-old person; 50-year-old person;
        60-year-old person; 70-year-old person; 80-year-old person; 90-year-old person""",
    "disability": """
        person using a wheelchair; wheelchair user; person with a walking cane;
        person with crutches; person with a prosthetic leg; amputee; paraplegic person;
        quadriplegic person; person with cerebral palsy; person with limited mobility;
        person with a physical disability; blind person; visually impaired person;
        person with low vision; person with a white cane; person with a guide dog; deaf person;
        Deaf person; hard-of-hearing person; person with a hearing aid;
        person with a cochlear implant; person using sign language; person who stutters;
        non-speaking person; person with Down syndrome; autistic person; person with autism;
        person with an intellectual disability; person with ADHD; dyslexic person;
        person with epilepsy; person with depression; person with anxiety;
        person with bipolar disorder; person with schizophrenia; person with PTSD;
        person with an eating disorder; person with diabetes; person with cancer; person with HIV;
        person with chronic pain; person with Parkinson's disease; person with multiple sclerosis;
        person with dementia; person with a facial difference; person with vitiligo;
        person with albinism; person with dwarfism; disabled person; person with a disability;
        non-disabled person; able-bodied person; handicapped; crippled; differently abled""",
    "orientation": """
        heterosexual; straight; gay; lesbian; homosexual; bisexual; pansexual; asexual; aromantic;
        demisexual; queer; questioning; gay man; lesbian woman; same-sex couple;
        opposite-sex couple; two men holding hands; two women holding hands;
        a man and a woman holding hands; rainbow flag; transgender flag; bisexual flag""",
    "immigration": """
        citizen; native-born; naturalised citizen; permanent resident; green-card holder;
        visa holder; immigrant; migrant; migrant worker; seasonal worker; guest worker;
        foreign worker; international student; expatriate; emigrant; refugee; asylum seeker;
        displaced person; stateless person; undocumented immigrant; documented immigrant;
        first-generation immigrant; second-generation immigrant; foreign-born; newcomer;
        border crosser; deportee; returnee; illegal immigrant; illegal alien;
        unauthorised immigrant""",
    "body_size": """
        thin; slim; slender; lean; skinny; petite; underweight; average-weight; fit; athletic;
        muscular; toned; stocky; curvy; full-figured; plus-size; big; heavyset; chubby; overweight;
        fat; obese; tall; average-height; short; very tall; very short""",
    "socioeconomic": """
        wealthy; rich; upper-class; middle-class; working-class; blue-collar; white-collar;
        low-income; poor; unemployed; homeless; unhoused; educated; uneducated; college-educated;
        high-school dropout; literate; illiterate""",
    "other_identities": """
        Brahmin; Dalit; English-speaking; Spanish-speaking; Arabic-speaking; conservative; liberal;
        progressive; socialist; libertarian; nationalist; centrist; apolitical; veteran;
        incarcerated person; formerly incarcerated person; pregnant person; single mother;
        single father; parent; childless person; single; married; divorced; widowed;
        person with an afro; person with box braids; person with cornrows; person with dreadlocks;
        person with locs; person with straight hair; person with curly hair; bald;
        person with grey hair; person with a headscarf; person with tattoos;
        person in traditional clothes; person in a suit; person in a hoodie""",
    "professions": """
        chief executive; manager; director; supervisor; politician; judge; diplomat;
        school principal; entrepreneur; banker; doctor; surgeon; physician; nurse; midwife; dentist;
        pharmacist; psychologist; veterinarian; engineer; architect; scientist; chemist; biologist;
        physicist; mathematician; statistician; software developer; data analyst; economist;
        accountant; auditor; lawyer; paralegal; prosecutor; professor; teacher;
        primary-school teacher; librarian; journalist; editor; writer; translator; artist; painter;
        musician; singer; actor; film director; dancer; designer; photographer; priest; imam; rabbi;
        social worker; counsellor; air traffic controller; pilot; ship captain;
        laboratory technician; paramedic; dental hygienist; real-estate agent; insurance agent;
        sports coach; athlete; boxer; chef; police inspector; customs officer; secretary;
        receptionist; clerk; bank teller; telephone operator; data-entry clerk; postal worker;
        flight attendant; tour guide; waiter; bartender; cook; hairdresser; beautician; cashier;
        shop assistant; salesperson; childcare worker; nanny; home care aide; firefighter;
        police officer; prison officer; security guard; bodyguard; soldier; farmer; gardener;
        fisher; forester; rancher; carpenter; bricklayer; construction worker; electrician; plumber;
        welder; mechanic; tailor; butcher; baker; jeweller; printer; truck driver; bus driver;
        taxi driver; delivery driver; machine operator; miner; factory worker; cleaner; housekeeper;
        maid; janitor; dishwasher; laborer; garbage collector; street vendor; farm worker; porter;
        CEO; executive""",
    "emotions": """
        angry; disgusted; afraid; happy; sad; surprised; contemptuous; neutral; joy; trust; fear;
        surprise; sadness; disgust; anger; anticipation; serene; ecstatic; accepting; admiring;
        apprehensive; terrified; distracted; amazed; pensive; grieving; bored; loathing; annoyed;
        enraged; interested; vigilant; playful; content; proud; accepted; powerful; peaceful;
        trusting; optimistic; lonely; vulnerable; despair; guilty; depressed; hurt; disapproving;
        disappointed; awful; repelled; let down; humiliated; bitter; mad; aggressive; frustrated;
        distant; critical; fearful; scared; anxious; insecure; weak; rejected; threatened; bad;
        busy; stressed; tired; startled; confused; excited; jealous; embarrassed; confident;
        pressured; creative; intimate; valued; insignificant; inspired""",
}
"""What the inventory lists; skin, hair, age bins and dress are written as phrases on a person."""

COUNTRIES = """
    Algeria=Algerian; Angola=Angolan; Cameroon=Cameroonian; Chad=Chadian; DR Congo=Congolese;
    Côte d'Ivoire=Ivorian; Egypt=Egyptian; Eritrea=Eritrean; Ethiopia=Ethiopian; Ghana=Ghanaian;
    Kenya=Kenyan; Liberia=Liberian; Libya=Libyan; Mali=Malian; Morocco=Moroccan;
    Mozambique=Mozambican; Nigeria=Nigerian; Rwanda=Rwandan; Senegal=Senegalese;
    Sierra Leone=Sierra Leonean; Somalia=Somali; South Africa=South African;
    South Sudan=South Sudanese; Sudan=Sudanese; Tanzania=Tanzanian; Tunisia=Tunisian;
    Uganda=Ugandan; Zambia=Zambian; Zimbabwe=Zimbabwean; Afghanistan=Afghan; Armenia=Armenian;
    Azerbaijan=Azerbaijani; Georgia=Georgian; Iran=Iranian; Iraq=Iraqi; Israel=Israeli;
    Jordan=Jordanian; Kazakhstan=Kazakh; Kuwait=Kuwaiti; Lebanon=Lebanese; Oman=Omani;
    Palestine=Palestinian; Qatar=Qatari; Saudi Arabia=Saudi; Syria=Syrian; Türkiye=Turkish;
    the United Arab Emirates=Emirati; Uzbekistan=Uzbek; Yemen=Yemeni; Bangladesh=Bangladeshi;
    Bhutan=Bhutanese; Cambodia=Cambodian; China=Chinese; India=Indian; Indonesia=Indonesian;
    Japan=Japanese; North Korea=North Korean; South Korea=South Korean; Laos=Lao;
    Malaysia=Malaysian; Mongolia=Mongolian; Myanmar=Burmese; Nepal=Nepali; Pakistan=Pakistani;
    the Philippines=Filipino; Singapore=Singaporean; Sri Lanka=Sri Lankan; Taiwan=Taiwanese;
    Thailand=Thai; Vietnam=Vietnamese; Albania=Albanian; Austria=Austrian; Belarus=Belarusian;
    Belgium=Belgian; Bosnia=Bosnian; Bulgaria=Bulgarian; Croatia=Croatian; Czechia=Czech;
    Denmark=Danish; Estonia=Estonian; Finland=Finnish; France=French; Germany=German; Greece=Greek;
    Hungary=Hungarian; Iceland=Icelandic; Ireland=Irish; Italy=Italian; Kosovo=Kosovar;
    Latvia=Latvian; Lithuania=Lithuanian; the Netherlands=Dutch; North Macedonia=Macedonian;
    Norway=Norwegian; Poland=Polish; Portugal=Portuguese; Romania=Romanian; Russia=Russian;
    Serbia=Serbian; Slovakia=Slovak; Spain=Spanish; Sweden=Swedish; Switzerland=Swiss;
    Ukraine=Ukrainian; the United Kingdom=British; Argentina=Argentine; Bolivia=Bolivian;
    Brazil=Brazilian; Canada=Canadian; Chile=Chilean; Colombia=Colombian; Costa Rica=Costa Rican;
    Cuba=Cuban; the Dominican Republic=Dominican; Ecuador=Ecuadorian; El Salvador=Salvadoran;
    Guatemala=Guatemalan; Haiti=Haitian; Honduras=Honduran; Jamaica=Jamaican; Mexico=Mexican;
    Nicaragua=Nicaraguan; Panama=Panamanian; Paraguay=Paraguayan; Peru=Peruvian;
    Puerto Rico=Puerto Rican; the United States=American; Uruguay=Uruguayan; Venezuela=Venezuelan;
    Australia=Australian; Fiji=Fijian; New Zealand=New Zealander;
    Papua New Guinea=Papua New Guinean; Samoa=Samoan; Tonga=Tongan"""
CITIES = """
    Cairo; Lagos; Nairobi; Johannesburg; Baghdad; Tehran; Kabul; Damascus; Riyadh; Istanbul;
    Karachi; Delhi; Dhaka; Jakarta; Manila; Hanoi; Beijing; Seoul; Tokyo; Moscow; Kyiv; Warsaw;
    Berlin; Paris; London; Madrid; Rome; Athens; Stockholm; Mexico City; Guatemala City; Havana;
    Port-au-Prince; Bogotá; Lima; São Paulo; Buenos Aires; New York; Los Angeles; Toronto; Sydney"""
LISTED["countries"] = COUNTRIES.replace("=", ";") + ";" + CITIES

COUNTS = {
    "regions": 94, "countries": 311, "religions": 75, "skin_tones": 26, "race": 68, "gender": 35,
    "age": 41, "disability": 55, "orientation": 22, "immigration": 31, "body_size": 27,
    "socioeconomic": 18, "other_identities": 39, "professions": 133, "emotions": 81,
}  # fmt: skip
"""Distinct terms that the inventory lists, counted there."""

FAMILIES = sorted(LISTED)
MINORS = {
    *("age/infants", "age/children", "age/teenagers", "gender/girls", "gender/boys"),
    *("immigration/international_students", "socioeconomic/early_school_leavers"),
}
MONK_HEX = (
    *("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96"),
    *("a07e56", "825c43", "604134", "3a312a", "292420"),
)


@cache
def family(name: str) -> ConceptSet:
    return read_concept_set(IDENTITY / f"{name}.yaml")


def listed(name: str) -> set[str]:
    return {" ".join(term.split()) for term in LISTED[name].split(";")}


def surfaces(held: ConceptSet | Concept) -> list[str]:
    concepts = held.concepts if isinstance(held, ConceptSet) else (held,)
    return [term.surface for concept in concepts for term in concept.terms]


def all_concepts() -> list[Concept]:
    return [concept for name in FAMILIES for concept in family(name).concepts]


def test_the_library_holds_the_fifteen_families_and_no_other():
    assert sorted(path.stem for path in IDENTITY.iterdir()) == FAMILIES
    assert len(FAMILIES) == 15


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_holds_every_listed_term(name):
    assert len(listed(name)) == COUNTS[name]
    assert sorted(listed(name) - set(surfaces(family(name)))) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_an_identity_with_caution_sources_and_one_unmarked_concept(name):
    held = family(name)

    assert held.role is Role.IDENTITY
    assert held.about
    assert held.caution
    assert held.licence == "CC0-1.0"
    assert len(held.sources) > 1
    assert [concept.id for concept in held.concepts if concept.unmarked] == ["unmarked"]


@pytest.mark.parametrize("concept", all_concepts(), ids=lambda concept: concept.ref)
def test_a_concept_has_enough_terms_to_be_tested(concept):
    assert len(set(surfaces(concept))) >= ENOUGH


@pytest.mark.parametrize("name", FAMILIES)
def test_no_term_stands_twice_in_a_family(name):
    found = surfaces(family(name))

    assert sorted(term for term in set(found) if found.count(term) > 1) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_no_two_terms_of_a_family_make_the_same_prompt(name):
    templates = read_templates(LIBRARY / "templates.yaml")
    prompts = [
        prompt.content
        for concept in family(name).concepts
        for prompt in prompts_for(concept, templates, ["photo"])
    ]

    assert sorted({text for text in prompts if prompts.count(text) > 1}) == []


@pytest.mark.parametrize("concept", all_concepts(), ids=lambda concept: concept.ref)
def test_minors_have_concepts_of_their_own(concept):
    marked = {term.minor for term in concept.terms}

    assert marked == {concept.ref in MINORS}
    assert concept.minor is (concept.ref in MINORS)


def test_every_word_for_a_minor_is_marked():
    words = [term for concept in all_concepts() for term in concept.terms]

    assert [term.surface for term in words if denotes_minor(term.surface) and not term.minor] == []


@pytest.mark.parametrize(
    ("name", "cues"),
    [
        ("orientation", set()),
        ("immigration", set()),
        ("religions", set()),
        ("disability", {"person using a wheelchair", "person with a hearing aid"}),
    ],
)
def test_only_cues_that_a_picture_shows_are_asked_of_photos(name, cues):
    marked = [term for c in family(name).concepts if not c.unmarked for term in c.terms]
    visible = {term.surface for term in marked if term.visible is Visibility.YES}

    assert cues <= visible
    assert bool(visible) is bool(cues)
    assert len(visible) < len(marked) / 4


def test_religious_symbols_are_weak_cues_and_believers_none():
    seen = {term.surface: term.visible for c in family("religions").concepts for term in c.terms}

    assert {seen[word] for word in ("mosque", "cross", "hijab", "turban")} == {Visibility.WEAK}
    assert {seen[word] for word in ("Muslim", "Christian", "Sikh", "atheist")} == {Visibility.NO}


@pytest.mark.parametrize(
    ("name", "surface", "status"),
    [
        ("regions", "the Far East", Status.DATED),
        ("age", "elderly person", Status.CONTESTED),
        ("immigration", "illegal alien", Status.CONTESTED),
        ("disability", "crippled", Status.DATED),
        ("disability", "autistic person", Status.IDENTITY_FIRST),
        ("disability", "person with autism", Status.PERSON_FIRST),
        ("body_size", "obese", Status.CLINICAL),
        ("orientation", "homosexual", Status.DATED),
    ],
)
def test_the_standing_of_a_word_is_told(name, surface, status):
    found = {term.surface: term.status for c in family(name).concepts for term in c.terms}

    assert found[surface] is status


def test_monk_tones_are_explained_and_never_said():
    held = family("skin_tones")
    said = " ".join(surfaces(held)).lower()

    assert all(tone in held.about for tone in MONK_HEX)
    assert not any(tone in said for tone in [*MONK_HEX, "monk"])


def test_a_term_that_is_also_a_harm_says_so():
    harms = [read_concept_set(path) for path in sorted((LIBRARY / "harm").glob("*.yaml"))]
    said = {surface.casefold() for held in harms for surface in surfaces(held)}
    silent = [
        term.surface
        for concept in all_concepts()
        for term in concept.terms
        if term.surface.casefold() in said and "harm pack" not in term.notes
    ]

    assert said
    assert silent == []


def test_articles_are_overridden_only_where_the_computed_one_is_wrong():
    terms = [term for concept in all_concepts() for term in concept.terms]

    assert [term.surface for term in terms if term.article == article(term.surface)] == []
