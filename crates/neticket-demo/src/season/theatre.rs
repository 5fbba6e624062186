//! Musicals and plays.

use super::show::{Sale, Show, Taken, at, grade};
use crate::poster::{self as colours, Design, Face, Scene};

pub(super) const SHOWS: &[Show] = &[
    Show {
        title: "마지막 왈츠",
        place: "서울 한빛아트센터 대극장",
        starts: at(12, 19, 30),
        sale: Sale::OpenSince { days: 20 },
        taken: Taken::Some(60),
        max_per_user: 4,
        grades: &[
            grade("VIP석", 170_000, 420),
            grade("R석", 140_000, 520),
            grade("S석", 110_000, 380),
            grade("A석", 80_000, 260),
        ],
        story: "1910년 겨울 경성, 문을 닫기로 한 무도회장에서 마지막 밤이 시작된다. \
                악단장 정우와 신분을 숨긴 무용수 유선은 해가 뜨기 전까지 단 한 곡의 왈츠를 \
                완성해야 한다. 초연 10주년을 맞아 18인조 오케스트라가 무대 위로 올라오고, \
                회전 무대를 새로 제작했다. 대표 넘버 '한 걸음 더 가까이'와 '불이 꺼지기 \
                전에'를 원래 편성 그대로 들려준다.",
        running_time: "160분 (인터미션 20분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Curtain,
            palette: colours::WINE,
            face: Face::SERIF,
            genre: "MUSICAL",
            byline: "초연 10주년 기념 공연",
        },
    },
    Show {
        title: "붉은 등대",
        place: "부산 해운대 드림씨어터홀",
        starts: at(19, 19, 0),
        sale: Sale::OpenSince { days: 14 },
        taken: Taken::Some(40),
        max_per_user: 4,
        grades: &[
            grade("VIP석", 150_000, 360),
            grade("R석", 120_000, 480),
            grade("S석", 90_000, 420),
            grade("A석", 60_000, 240),
        ],
        story: "폭풍으로 고립된 외딴섬, 등대지기의 딸 해인은 매일 밤 불을 밝혀 돌아오지 않는 \
                배를 부른다. 어느 날 낯선 항해사가 떠밀려 오면서 스무 해 동안 숨겨진 섬의 \
                비밀이 드러난다. 실제 바람과 물안개를 쓰는 무대 장치와 남도 민요를 바탕으로 \
                한 음악이 어우러진 창작 뮤지컬이다. 지난해 창작 뮤지컬 공모 대상을 받았다.",
        running_time: "145분 (인터미션 15분 포함)",
        age_limit: "13세 이상 관람가",
        design: Design {
            scene: Scene::Waves,
            palette: colours::SUNSET,
            face: Face::SERIF,
            genre: "MUSICAL",
            byline: "창작 뮤지컬 부산 초연",
        },
    },
    Show {
        title: "달빛 제과점",
        place: "서울 대학로 소담극장 1관",
        starts: at(6, 20, 0),
        sale: Sale::OpenSince { days: 30 },
        taken: Taken::Some(24),
        max_per_user: 4,
        grades: &[grade("R석", 66_000, 120), grade("S석", 55_000, 80)],
        story: "새벽 두 시에만 문을 여는 제과점에는 잠들지 못하는 사람들이 모인다. 여섯 명의 \
                배우가 스물네 명의 손님을 번갈아 연기하며 하룻밤의 사연을 들려준다. 공연 내내 \
                무대 위 오븐에서 진짜 빵이 구워지고, 커튼콜 뒤에는 관객과 나눈다. 피아노와 \
                첼로가 함께하는 라이브 연주다.",
        running_time: "100분 (인터미션 없음)",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Skyline,
            palette: colours::PLUM,
            face: Face::SANS,
            genre: "MUSICAL",
            byline: "잠 못 드는 밤을 위한 소극장 뮤지컬",
        },
    },
    Show {
        title: "왕의 사진사",
        place: "서울 세움문화회관 대극장",
        starts: at(33, 19, 30),
        sale: Sale::OpensInDays { days: 3, hour: 14 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[
            grade("VIP석", 180_000, 600),
            grade("R석", 150_000, 900),
            grade("S석", 120_000, 800),
            grade("A석", 90_000, 500),
            grade("B석", 60_000, 300),
        ],
        story: "카메라 한 대를 들고 궁에 들어간 청년 도형은 왕의 얼굴이 아닌 왕의 하루를 \
                찍기로 한다. 빛과 그림자로만 장면을 바꾸는 연출과 4미터 높이의 사진 막이 \
                시대의 풍경을 되살린다. 작곡가 서린의 첫 대극장 작품으로, 40인조 앙상블과 \
                국악 관현악이 함께한다.",
        running_time: "170분 (인터미션 20분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Curtain,
            palette: colours::EMBER,
            face: Face::SERIF,
            genre: "MUSICAL",
            byline: "서린 작곡 · 대극장 초연",
        },
    },
    Show {
        title: "스물두 번째 편지",
        place: "대구 수성아트홀 비슬극장",
        starts: at(25, 19, 30),
        sale: Sale::OpensInHours { hours: 20 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[grade("R석", 88_000, 320), grade("S석", 66_000, 280), grade("A석", 44_000, 160)],
        story: "부치지 못한 스물한 통의 편지를 발견한 손녀가 마지막 한 통을 직접 쓰기 \
                시작한다. 1950년대와 오늘이 같은 무대 위에서 만나며 두 여성의 목소리가 \
                하나의 노래로 겹친다. 관객이 미리 보낸 편지 한 통을 매회 낭독한다. 대구 \
                공연 한정으로 지역 합창단이 피날레에 함께 선다.",
        running_time: "130분 (인터미션 15분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Bloom,
            palette: colours::CLAY,
            face: Face::SERIF,
            genre: "MUSICAL",
            byline: "두 시대가 부르는 하나의 노래",
        },
    },
    Show {
        title: "햄릿, 여름",
        place: "서울 명동 국립연희극장",
        starts: at(9, 19, 30),
        sale: Sale::OpenSince { days: 18 },
        taken: Taken::Some(30),
        max_per_user: 4,
        grades: &[grade("R석", 60_000, 220), grade("S석", 45_000, 200), grade("A석", 30_000, 120)],
        story: "에어컨이 고장 난 한여름의 장례식장, 돌아온 아들은 아버지의 마지막 통화 기록을 \
                듣는다. 셰익스피어의 원작을 지금의 서울로 옮기되 독백은 한 줄도 바꾸지 \
                않았다. 연출가 민해수가 5년 만에 올리는 신작으로, 전 회차 한국어 자막과 \
                음성 해설을 제공한다.",
        running_time: "150분 (인터미션 15분 포함)",
        age_limit: "15세 이상 관람가",
        design: Design {
            scene: Scene::Arches,
            palette: colours::STEEL,
            face: Face::SERIF,
            genre: "연극",
            byline: "민해수 연출",
        },
    },
    Show {
        title: "옥상 위의 체호프",
        place: "서울 대학로 물결소극장",
        starts: at(4, 20, 0),
        sale: Sale::OpenSince { days: 25 },
        taken: Taken::All,
        max_per_user: 2,
        grades: &[grade("전석", 35_000, 72)],
        story: "재개발을 앞둔 연립주택 옥상에서 세입자들이 '벚꽃 동산'을 연습한다. 연습과 \
                현실의 경계가 흐려지면서 대본에 없던 대사가 하나둘 튀어나온다. 객석과 무대의 \
                거리가 1미터인 72석 극장에서만 가능한 공연이다. 자유석이며 입장은 예매 \
                순서대로 진행한다.",
        running_time: "95분 (인터미션 없음)",
        age_limit: "12세 이상 관람가",
        design: Design {
            scene: Scene::Tiles,
            palette: colours::CLAY,
            face: Face::BLACK,
            genre: "연극",
            byline: "72석, 가장 가까운 연극",
        },
    },
    Show {
        title: "열두 목격자",
        place: "서울 충정로 아레나씨어터",
        starts: at(15, 15, 0),
        sale: Sale::OpenSince { days: 10 },
        taken: Taken::Some(20),
        max_per_user: 6,
        grades: &[grade("배심원석", 77_000, 12), grade("R석", 55_000, 150), grade("S석", 40_000, 130)],
        story: "관객 열두 명이 배심원석에 앉아 매회 다른 판결을 내리는 법정 스릴러다. 증거는 \
                실제 서류와 음성으로 제공되고, 결말은 모두 네 가지가 준비되어 있다. 두 번째 \
                관람에는 첫 판결을 뒤집는 새로운 증언이 공개된다. 배심원석은 진행을 위해 시작 \
                20분 전까지 입장해야 한다.",
        running_time: "110분 (인터미션 없음)",
        age_limit: "15세 이상 관람가",
        design: Design {
            scene: Scene::Tiles,
            palette: colours::LEMON,
            face: Face::BLACK,
            genre: "THRILLER",
            byline: "판결은 객석에서 내려진다",
        },
    },
    Show {
        title: "조용한 식탁",
        place: "광주 빛고을예술극장 소극장",
        starts: at(-12, 19, 30),
        sale: Sale::OpenSince { days: 60 },
        taken: Taken::Some(16),
        max_per_user: 4,
        grades: &[grade("R석", 40_000, 90), grade("S석", 30_000, 70)],
        story: "한마디 말도 없이 진행되는 70분의 저녁 식사. 수어와 움직임, 그릇이 부딪치는 \
                소리만으로 가족의 한 세기를 그린다. 농인 배우와 청인 배우가 함께 만들었으며, \
                공연 뒤 통역과 함께하는 관객과의 대화가 이어진다.",
        running_time: "70분 (인터미션 없음)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Arches,
            palette: colours::MINT,
            face: Face::SERIF,
            genre: "연극",
            byline: "말 없이 차린 저녁",
        },
    },
    Show {
        title: "우주 정거장 37호",
        place: "대전 엑스포아트홀",
        starts: at(41, 14, 0),
        sale: Sale::OpensInDays { days: 9, hour: 14 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[grade("R석", 70_000, 400), grade("S석", 50_000, 360)],
        story: "지구와 연락이 끊긴 지 37일째, 다섯 명의 승무원은 돌아갈 자리 하나를 두고 \
                투표를 시작한다. 무중력을 표현하는 와이어 연기와 360도 영상이 객석 전체를 \
                우주선 안으로 바꾼다. 과학 도시 대전에서 처음 만나는 본격 SF 연극으로, \
                천문 연구자가 자문을 맡았다.",
        running_time: "120분 (인터미션 없음)",
        age_limit: "12세 이상 관람가",
        design: Design {
            scene: Scene::Stars,
            palette: colours::NEON,
            face: Face::BLACK,
            genre: "SF 연극",
            byline: "남은 자리는 하나",
        },
    },
    Show {
        title: "방자전, 희극의 밤",
        place: "전주 한옥마을 놀이마당",
        starts: at(8, 18, 30),
        sale: Sale::OpenSince { days: 7 },
        taken: Taken::Some(12),
        max_per_user: 8,
        grades: &[grade("지정석", 30_000, 180), grade("마당석", 15_000, 120)],
        story: "춘향도 몽룡도 아닌 방자의 입으로 듣는 그날의 진실. 탈춤과 판소리, 즉흥 \
                재담이 번갈아 터지는 야외 마당극이다. 막걸리와 전을 나누는 막간이 있으며, \
                비가 오면 옆 대청마루로 자리를 옮겨 진행한다.",
        running_time: "90분 (막간 15분 포함)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Peaks,
            palette: colours::CLAY,
            face: Face::SERIF,
            genre: "마당극",
            byline: "방자가 말하는 그날 밤",
        },
    },
];
