"""Queries that have nothing to do with any archive: what an index gives them is what it gives to no answer."""

from __future__ import annotations

NULL_QUERIES: tuple[str, ...] = tuple(
    part.strip()
    for part in """
how to roast a chicken; best pizza dough; vegetable soup for winter; chocolate cake without eggs; pickling cucumbers;
how long to boil rice; making jam from plums; what wine goes with fish; cheap restaurants near the station; green tea;
how to prune roses; when to plant tomatoes; getting rid of slugs; lawn full of moss; house plants for dark rooms; how
to train a puppy; my cat does not eat; keeping bees in the city; feeding garden birds; horse riding lessons; fixing a
leaking tap; painting a wooden door; how to tile a bathroom; removing wallpaper; sharpening kitchen knives; washing
wool jumpers; how to iron a shirt; sewing on a button; knitting pattern for socks; cleaning leather shoes; changing
the oil of a car; used car prices; winter tyres or all season; parallel parking; motorcycle helmet sizes; train to the
airport; cheap flights in summer; visa for a long stay; packing list for camping; what to see in Rome; hotels by the
sea; hiking in the Alps; how to pitch a tent; sailing knots; scuba diving certificate; ski resorts; football scores;
who won the cup final; rules of cricket; tennis rackets for beginners; Olympic swimming records; how to do a
handstand; training for a marathon; yoga for back pain; how to lose weight; stretching after running; cold or flu; how
to stop a nosebleed; headache every morning; tooth extraction cost; side effects of aspirin; vaccination for children;
high blood pressure diet; sleeping badly at night; knee operation recovery; hay fever; pregnancy week by week; names
for baby girls; how to change a nappy; bedtime stories; toys for toddlers; school holidays; divorce and custody;
writing a will; renting a flat; rights of tenants; parking fine appeal; small claims court; income tax return; pension
at sixty; opening a savings account; mortgage rates; car insurance; lottery numbers; how to write a cover letter;
asking for a pay rise; job as a nurse; becoming a pilot; working as a plumber; wedding speeches; funeral flowers;
birthday presents for men; Christmas decorations; Easter traditions; carnival costumes; how to play the guitar; piano
for beginners; opera tickets; best jazz albums; song lyrics about love; choir rehearsal; film with a happy ending;
actors of the nineties; who directed it; comic book heroes; soap opera episode; stand-up comedy; novels about the sea;
poems for autumn; Shakespeare's sonnets; detective stories; children's book about a bear; oil painting for beginners;
how to draw a face; pottery kiln; museum opening hours; Gothic cathedrals; Roman emperors; kings of France; the fall
of Constantinople; Viking ships; the First World War; ancient Egypt; history of the telephone; capital of Mongolia;
longest river; volcanoes in Iceland; desert animals; how whales sleep; dinosaurs; spiders at home; weather tomorrow;
thunderstorm warning; earthquake damage; phases of the moon; planets in the evening sky; high tide; boiling point of
water; how soap is made; rust on iron; growing crystals; why the sky is blue; bones of the hand; German verbs;
learning Spanish; origin of surnames; crossword clue; chess openings; card games for two; magic tricks; fashion in the
twenties; hair colour at home; nail varnish; perfume for summer; beard trimming; sunglasses; wedding rings; church
services; life of a saint; meditation for beginners; dream meaning; horoscope for Leo; ghost stories; fasting; local
elections; mayor of the town; road works; library opening hours; recycling plastic; bus timetable; fire brigade; dairy
farming; wheat harvest; fishing licence; hunting season; timber prices; sheep shearing; tractor repair; vineyards;
police report; burglar alarm; lost passport; missing persons; prison visits; army service; border control; smuggling
""".replace("\n", " ").split(";")
    if part.strip()
)
"""What people ask all over the world, of all walks of life but talks on technical matters; no talk answers most."""
